import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Reached by the whole internet: neither private nor loopback, link-local, multicast, tunnelled or reserved (IANA's registries). */
export function isPublicAddress(address: string): boolean {
  return ipaddr.process(address).range() === 'unicast';
}

/**
 * Resolves names to public addresses only: a name on a list may be pointed at a machine of the operator's network by
 * whoever owns the name. Node asks it for names, never for addresses.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses;
    if (error ?? !first) callback(error ?? new Error(`${hostname} has no address`), [], 0);
    else if (addresses.some(({ address }) => !isPublicAddress(address)))
      callback(
        new Error(`${hostname} leads to a private address; to allow it, the operator lists the address itself`),
        [],
        0,
      );
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
