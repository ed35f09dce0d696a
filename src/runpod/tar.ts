import { gzipSync } from 'node:zlib';

export interface TarFile {
  /** Relative, with `/`; at most 100 bytes of ASCII. */
  path: string;
  content: Buffer;
  isExecutable: boolean;
}

const blockBytes = 512;

/** A gzipped ustar archive. The same files give the same bytes: owners, times and order are fixed. */
export function tarGz(files: readonly TarFile[]): Buffer {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const entries = sorted.flatMap((file) => [header(file), file.content, padding(file.content.length)]);
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(2 * blockBytes)]), { level: 9 });
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes);
}

/** POSIX.1-1988 ustar: numbers in octal text; the checksum counts its own field as spaces. */
function header({ path, content, isExecutable }: TarFile): Buffer {
  if (!/^[\x21-\x7e]{1,100}$/.test(path))
    throw new Error(`${path}: a packed file needs a name of 1 to 100 ASCII characters`);
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  block.write(path, 0);
  block.write(octal(isExecutable ? 0o755 : 0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(content.length, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        0', 148);
  block.write('ustar\x0000', 257, 'latin1');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${octal(checksum, 6)}\0 `, 148, 'latin1');
  return block;
}
