import { InvalidArgumentError } from 'commander';

/** A port of the command line. @param lowest 0 where a free one may be asked for */
export function portArgument(lowest: 0 | 1): (text: string) => number {
  return (text) => {
    const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(port >= lowest && port <= 65_535)) throw new InvalidArgumentError(`write a port from ${lowest} to 65535.`);
    return port;
  };
}
