import { DevloopError, type ErrorCode } from '../contract/index.js';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a file is in the place of a folder',
  EEXIST: 'a file is in the place of a folder',
  EISDIR: 'a folder is in the place of a file',
  ENOENT: 'it does not exist',
  ELOOP: 'its symbolic links lead nowhere',
  ENAMETOOLONG: 'the path is too long',
};

export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's error number in words; the error's own message where it has none. */
export function reasonOf(error: unknown): string {
  return REASONS[errorCodeOf(error) ?? ''] ?? messageOf(error);
}

/** One sentence with the path, the cause and the way out, from a failed call to the file system. */
export function fileProblem(code: ErrorCode, what: string, path: string, error: unknown, wayOut: string): DevloopError {
  return new DevloopError(code, `${what} ${path}: ${reasonOf(error)}. ${wayOut}`, { cause: error });
}
