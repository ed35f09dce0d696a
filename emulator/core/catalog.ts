import type { Settings } from './settings.js';

export const availabilityLevels = ['NONE', 'LOW', 'MEDIUM', 'HIGH'] as const;
export type Availability = (typeof availabilityLevels)[number];

export const clouds = ['SECURE', 'COMMUNITY'] as const;
export type Cloud = (typeof clouds)[number];

/** One GPU type of the emulated market. Prices in USD per hour for one GPU; a `maxCount` of 0 means not offered there. */
export interface GpuType {
  readonly id: string;
  readonly name: string;
  readonly pool: string | null;
  readonly manufacturer: 'NVIDIA' | 'AMD';
  readonly memoryGb: number;
  readonly priceUsd: Readonly<Record<Cloud, number>>;
  readonly serverlessPriceUsd?: number;
  readonly maxCount: Readonly<Record<Cloud, number>>;
  readonly availability: Availability;
  readonly dataCenterIds: readonly string[];
  readonly cudaVersions: readonly string[];
}

export interface DataCenter {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly countryCode: string;
  readonly globalNetwork: boolean;
  readonly networkVolumeTypes: readonly string[];
  readonly compliance: readonly string[];
}

export const dataCenters: readonly DataCenter[] = [
  {
    id: 'US-KS-2',
    name: 'US Kansas 2',
    region: 'NORTH_AMERICA',
    countryCode: 'US',
    globalNetwork: true,
    networkVolumeTypes: ['STANDARD', 'HIGH_PERFORMANCE'],
    compliance: ['SOC_2_TYPE_2', 'ISO_IEC_27001'],
  },
  {
    id: 'US-TX-3',
    name: 'US Texas 3',
    region: 'NORTH_AMERICA',
    countryCode: 'US',
    globalNetwork: true,
    networkVolumeTypes: ['STANDARD'],
    compliance: ['SOC_2_TYPE_2'],
  },
  {
    id: 'EU-RO-1',
    name: 'EU Romania 1',
    region: 'EUROPE',
    countryCode: 'RO',
    globalNetwork: true,
    networkVolumeTypes: ['STANDARD'],
    compliance: ['GDPR', 'ISO_IEC_27001'],
  },
  {
    id: 'EU-SE-1',
    name: 'EU Sweden 1',
    region: 'EUROPE',
    countryCode: 'SE',
    globalNetwork: false,
    networkVolumeTypes: [],
    compliance: ['GDPR'],
  },
];

const everywhere = dataCenters.map((dataCenter) => dataCenter.id);
const nvidiaCuda = ['12.4', '12.6', '12.8'] as const;

/** The RTX 4090's prices are seen ones; the others are plausible figures, for tests of choice and of price limits. */
export const gpuTypes: readonly GpuType[] = [
  {
    id: 'NVIDIA GeForce RTX 4090',
    name: 'RTX 4090',
    pool: 'ADA_24',
    manufacturer: 'NVIDIA',
    memoryGb: 24,
    priceUsd: { SECURE: 0.69, COMMUNITY: 0.34 },
    serverlessPriceUsd: 1.12,
    maxCount: { SECURE: 8, COMMUNITY: 4 },
    availability: 'HIGH',
    dataCenterIds: everywhere,
    cudaVersions: nvidiaCuda,
  },
  {
    id: 'NVIDIA GeForce RTX 3090',
    name: 'RTX 3090',
    pool: 'AMPERE_24',
    manufacturer: 'NVIDIA',
    memoryGb: 24,
    priceUsd: { SECURE: 0.46, COMMUNITY: 0.22 },
    maxCount: { SECURE: 4, COMMUNITY: 4 },
    availability: 'MEDIUM',
    dataCenterIds: ['US-KS-2', 'EU-RO-1'],
    cudaVersions: nvidiaCuda,
  },
  {
    id: 'NVIDIA GeForce RTX 5090',
    name: 'RTX 5090',
    pool: null,
    manufacturer: 'NVIDIA',
    memoryGb: 32,
    priceUsd: { SECURE: 0.94, COMMUNITY: 0.69 },
    maxCount: { SECURE: 8, COMMUNITY: 4 },
    availability: 'MEDIUM',
    dataCenterIds: ['US-TX-3', 'EU-SE-1'],
    cudaVersions: ['12.8'],
  },
  {
    id: 'NVIDIA RTX A5000',
    name: 'RTX A5000',
    pool: 'AMPERE_24',
    manufacturer: 'NVIDIA',
    memoryGb: 24,
    priceUsd: { SECURE: 0.27, COMMUNITY: 0.16 },
    maxCount: { SECURE: 8, COMMUNITY: 4 },
    availability: 'LOW',
    dataCenterIds: ['EU-RO-1'],
    cudaVersions: nvidiaCuda,
  },
  {
    id: 'NVIDIA L4',
    name: 'L4',
    pool: 'ADA_24',
    manufacturer: 'NVIDIA',
    memoryGb: 24,
    priceUsd: { SECURE: 0.39, COMMUNITY: 0 },
    maxCount: { SECURE: 8, COMMUNITY: 0 },
    availability: 'MEDIUM',
    dataCenterIds: ['US-KS-2', 'US-TX-3'],
    cudaVersions: nvidiaCuda,
  },
  {
    id: 'NVIDIA A100 80GB PCIe',
    name: 'A100 PCIe',
    pool: 'AMPERE_80',
    manufacturer: 'NVIDIA',
    memoryGb: 80,
    priceUsd: { SECURE: 1.64, COMMUNITY: 1.19 },
    maxCount: { SECURE: 8, COMMUNITY: 4 },
    availability: 'LOW',
    dataCenterIds: ['US-KS-2', 'EU-SE-1'],
    cudaVersions: nvidiaCuda,
  },
  {
    id: 'NVIDIA H100 PCIe',
    name: 'H100 PCIe',
    pool: 'ADA_80_PRO',
    manufacturer: 'NVIDIA',
    memoryGb: 80,
    priceUsd: { SECURE: 2.39, COMMUNITY: 1.99 },
    maxCount: { SECURE: 8, COMMUNITY: 2 },
    availability: 'LOW',
    dataCenterIds: ['US-TX-3'],
    cudaVersions: ['12.6', '12.8'],
  },
  {
    id: 'AMD Instinct MI300X OAM',
    name: 'MI300X',
    pool: null,
    manufacturer: 'AMD',
    memoryGb: 192,
    priceUsd: { SECURE: 1.99, COMMUNITY: 0 },
    maxCount: { SECURE: 8, COMMUNITY: 0 },
    availability: 'NONE',
    dataCenterIds: ['EU-RO-1'],
    cudaVersions: [],
  },
];

/** A GPU type as the market stands, with the overrides of the settings. */
export function currentGpuType(id: string, settings: Settings): GpuType | undefined {
  const type = gpuTypes.find((candidate) => candidate.id === id);
  const change = settings.gpus[id];
  if (!type || !change) return type;
  return {
    ...type,
    availability: change.availability ?? type.availability,
    priceUsd: {
      SECURE: change.securePriceUsd ?? type.priceUsd.SECURE,
      COMMUNITY: change.communityPriceUsd ?? type.priceUsd.COMMUNITY,
    },
  };
}

/** CPU flavours: USD per hour for one vCPU, memory in GB per vCPU. */
export const cpuFlavors: Readonly<
  Record<string, { readonly usdPerVcpuHour: number; readonly memoryGbPerVcpu: number }>
> = {
  cpu3c: { usdPerVcpuHour: 0.03, memoryGbPerVcpu: 2 },
  cpu3g: { usdPerVcpuHour: 0.04, memoryGbPerVcpu: 4 },
  cpu3m: { usdPerVcpuHour: 0.055, memoryGbPerVcpu: 8 },
  cpu5c: { usdPerVcpuHour: 0.035, memoryGbPerVcpu: 2 },
  cpu5g: { usdPerVcpuHour: 0.045, memoryGbPerVcpu: 4 },
};
