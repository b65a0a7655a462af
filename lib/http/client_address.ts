/**
 * Who the client is. Whoever connects is known by the address of its socket. `X-Forwarded-For` is
 * only a claim: it is believed when the socket's peer is a trusted proxy, and then from the right,
 * because each proxy appends the peer it saw and everything further left came from the client.
 */

import {
  type ClientAddress,
  type IpAddress,
  isInNetwork,
  parseIpAddress,
  parseIpNetwork,
  toClientAddress,
} from "../base/ip_address.ts";

/** Tells the client from the socket's peer and `X-Forwarded-For`. */
export type FindClient = (peer: string, forwardedFor: string | null) => ClientAddress;

/**
 * @param trustedProxies addresses and ranges, as `parseIpNetwork` reads them.
 * @throws {TypeError} when one of them is none.
 */
export function createFindClient(trustedProxies: readonly string[]): FindClient {
  const isTrusted = createIsTrusted(trustedProxies);

  /** The peer that was seen last: the next one is most likely the same. */
  let last: { peer: string; address: IpAddress | undefined } = { peer: "", address: undefined };

  return function findClient(peer, forwardedFor) {
    if (last.peer !== peer) last = { peer, address: parseIpAddress(peer) };
    let client = last.address;
    if (client === undefined) return { ip: peer, network: peer };
    const hops = forwardedFor === null ? [] : forwardedFor.split(",");
    while (hops.length > 0 && isTrusted(client)) {
      const hop = parseHop(hops.pop()!.trim());
      if (hop === undefined) break; // nothing left of a malformed hop can be attributed
      client = hop;
    }
    return toClientAddress(client);
  };
}

/**
 * Makes what tells whether the socket's peer is a trusted proxy.
 *
 * @throws {TypeError} as `createFindClient` does.
 */
export function createIsTrustedProxy(trustedProxies: readonly string[]): (peer: string) => boolean {
  const isTrusted = createIsTrusted(trustedProxies);
  return (peer) => {
    const address = parseIpAddress(peer);
    return address !== undefined && isTrusted(address);
  };
}

function createIsTrusted(trustedProxies: readonly string[]): (address: IpAddress) => boolean {
  const networks = trustedProxies.map((text) => {
    const network = parseIpNetwork(text);
    if (network === undefined) throw new TypeError(`Cannot trust ${text}: it is no address range`);
    return network;
  });
  return (address) => networks.some((network) => isInNetwork(address, network));
}

/** One element of `X-Forwarded-For`; some proxies append the port, and bracket IPv6 for it. */
function parseHop(text: string): IpAddress | undefined {
  const [, bracketed, plain] = /^\[([^\]]+)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(text) ?? [];
  return parseIpAddress(bracketed ?? plain ?? text);
}
