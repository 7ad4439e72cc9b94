/**
 * Where a request of ours may go when an operator names the address: not to this machine's link, and not to
 * where a cloud hands out its credentials (GA16). Private addresses are allowed, for receivers stand in private
 * networks, and loopback too: the demo's stands there, and who may set the address may run programs here.
 */
import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';

/** Node's list takes an IPv4 address that is written as IPv6 (::ffff:…) for what it is. */
const forbidden = new BlockList();
const subnets = [
  // Unspecified: "this host" (RFC 1122, RFC 4291).
  ['0.0.0.0', 8],
  ['::', 128],
  // Link-local (RFC 3927, RFC 4291); 169.254.169.254 is the metadata service of AWS, Azure, Google and others.
  ['169.254.0.0', 16],
  ['fe80::', 10],
  // The same under the IPv6 addresses that translate to IPv4: NAT64 (RFC 6052), 6to4, IPv4-compatible.
  ['64:ff9b::a9fe:0', 112],
  ['2002:a9fe::', 32],
  ['::a9fe:0', 112],
  // Metadata that is not link-local: AWS over IPv6, Google over IPv6, Alibaba, Oracle, Azure's wire server.
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
  ['168.63.129.16', 32],
] as const;
for (const [network, prefix] of subnets) {
  forbidden.addSubnet(network, prefix, isIP(network) === 6 ? 'ipv6' : 'ipv4');
}

/** An address, with or without an IPv6 zone; what is none is a name, and is not refused here. */
export function isForbiddenAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  const family = isIP(bare);
  return family !== 0 && forbidden.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

/** The host of a URL as an address is written: WHATWG puts IPv6 in brackets, and spells out 0xa9.254.1.1. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** How a name is resolved: Node's way, or a test's. */
export type Resolve = (
  name: string,
  options: { all: true; family?: number | undefined; hints?: number | undefined },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * For a socket's `lookup`: what is connected to is the address that was looked at, so that a name which
 * resolves to another one a moment later gains nothing. One forbidden address among several refuses them all.
 */
export function guardedLookup(resolve: Resolve = lookup): LookupFunction {
  return (name, options, callback) => {
    const family = typeof options.family === 'number' ? options.family : 0;
    resolve(name, { all: true, family, hints: options.hints }, (error, addresses) => {
      const [first] = addresses;
      if (error !== null || first === undefined) {
        callback(error ?? new Error(`${name} has no address`), []);
        return;
      }
      if (addresses.some(({ address }) => isForbiddenAddress(address))) {
        callback(new Error('its name leads to a link-local or metadata address'), []);
        return;
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
