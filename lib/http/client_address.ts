/**
 * Who the client is. Whoever connects is known by the address of its socket. `X-Forwarded-For` is
 * only a claim: it is believed when the socket's peer is a trusted proxy, and then from the right,
 * because each proxy appends the peer it saw and everything further left came from the client.
 */

import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The client of a request: for the log the whole address, for the limiter what one client owns. */
export interface ClientAddress {
  /** The address in its canonical text; IPv4-mapped IPv6 is written as IPv4. */
  ip: string;
  /** The IPv4 address, or the IPv6 /64: a single host is commonly given a whole /64. */
  network: string;
}

/** Makes the function that tells the client from the socket's peer and `X-Forwarded-For`. */
export function createClientAddress(
  trustedProxies: readonly string[],
): (peer: string, forwardedFor: string | null) => ClientAddress {
  const networks = trustedProxies.map(parseNetwork);
  const isTrusted = (address: Address) =>
    networks.some(([network, bits]) =>
      network.kind() === address.kind() && address.match(network as never, bits)
    );

  return function clientAddress(peer, forwardedFor) {
    let client = parseAddress(peer);
    if (client === undefined) return { ip: peer, network: peer };
    const hops = forwardedFor === null ? [] : forwardedFor.split(",");
    while (hops.length > 0 && isTrusted(client)) {
      const hop = parseHop(hops.pop()!);
      if (hop === undefined) break; // nothing left of a malformed hop can be attributed
      client = hop;
    }
    return { ip: client.toString(), network: networkOf(client) };
  };
}

function parseAddress(text: string): Address | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}

/** One element of `X-Forwarded-For`; some proxies append the port, and bracket IPv6 for it. */
function parseHop(text: string): Address | undefined {
  const trimmed = text.trim();
  const [, bracketed, plain] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(trimmed) ?? [];
  const host = bracketed ?? plain ?? trimmed;
  // ipaddr.js also reads "1" and "0x7f.1"; a proxy writes neither.
  return /^\d+(\.\d+){3}$|:/.test(host) ? parseAddress(host) : undefined;
}

function parseNetwork(text: string): [Address, number] {
  const [address, bits] = text.includes("/")
    ? ipaddr.parseCIDR(text)
    : [ipaddr.parse(text), undefined] as const;
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && (bits ?? 128) >= 96) {
    return [address.toIPv4Address(), (bits ?? 128) - 96];
  }
  return [address, bits ?? (address.kind() === "ipv6" ? 128 : 32)];
}

function networkOf(address: Address): string {
  if (address.kind() === "ipv4") return address.toString();
  const parts = (address as ipaddr.IPv6).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(":")}::/64`;
}
