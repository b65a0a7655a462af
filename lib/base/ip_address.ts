/** IP addresses, read strictly: what could be read in two ways is none. */

import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses: the first one, and how many of its bits all others share. */
export type IpNetwork = readonly [IpAddress, number];

/** Who sends a request: for the log the address, for limits what one client commonly owns. */
export interface ClientAddress {
  /** The address in its canonical text; IPv4-mapped IPv6 is written as IPv4. */
  ip: string;
  /** The IPv4 address, or the IPv6 /64: a single host is commonly given a whole /64. */
  network: string;
}

/**
 * The address that `text` is: four decimal numbers without leading zeros, or the forms of RFC 4291
 * §2.2 and RFC 5952, without a zone. An IPv4-mapped IPv6 address becomes the IPv4 one. `undefined`
 * for everything else: `010.0.0.1` is 8.0.0.1 to some readers, and `10` is 0.0.0.10.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  return isStrict(text) ? ipaddr.process(text) : undefined;
}

/** The range that `text` is, an address alone or with `/bits`; `undefined` for everything else. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [, address, digits] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  if (address === undefined || !isStrict(address)) return undefined;
  const parsed = ipaddr.parse(address);
  const all = parsed.kind() === "ipv6" ? 128 : 32;
  const bits = digits === undefined ? all : Number(digits);
  if (bits > all) return undefined;
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() && bits >= 96) {
    return [parsed.toIPv4Address(), bits - 96];
  }
  return [parsed, bits];
}

/** Whether an address lies in a range. */
export function isInNetwork(address: IpAddress, [network, bits]: IpNetwork): boolean {
  return network.kind() === address.kind() && address.match(network as never, bits);
}

/** An address as the log and the limits know it. */
export function toClientAddress(address: IpAddress): ClientAddress {
  return { ip: address.toString(), network: networkOf(address) };
}

function isStrict(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes("%"));
}

function networkOf(address: IpAddress): string {
  if (address instanceof ipaddr.IPv4) return address.toString();
  const parts = address.parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(":")}::/64`;
}
