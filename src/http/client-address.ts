/** Who is calling, behind proxies or not. */
import { BlockList, isIP } from 'node:net'
import type { Log } from '../observability/log.ts'

export type ClientAddress = (headers: Headers, peer: string | undefined) => string

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '')
const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/**
 * The address of the caller. `X-Forwarded-For` counts only when the peer is one of `trustedProxies` (addresses or
 * networks); it is read from the right, and the first address that is no trusted proxy is the caller.
 */
export function createClientAddress(trustedProxies: readonly string[], log: Log): ClientAddress {
  const trusted = new BlockList()
  for (const entry of trustedProxies) {
    const [address = '', bits] = entry.split('/')
    if (bits === undefined) trusted.addAddress(address, family(address))
    else trusted.addSubnet(address, Number(bits), family(address))
  }
  const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, family(address))
  let warned = false

  return (headers, peer) => {
    const address = plain(peer ?? '0.0.0.0')
    const forwarded = headers.get('x-forwarded-for')
    if (forwarded === null) return address
    if (!isTrusted(address)) {
      if (!warned) log.warn('X-Forwarded-For from an address that is not in TRUSTED_PROXIES is ignored', { address })
      warned = true
      return address
    }
    const hops = forwarded.split(',').map((hop) => plain(hop.trim()))
    const caller = hops.findLast((hop) => !isTrusted(hop)) ?? hops[0]
    return caller !== undefined && isIP(caller) !== 0 ? caller : address
  }
}

/** The unit that limits count: an IPv4 address, or the /64 of an IPv6 one, since a host has all of it. */
export function limitUnit(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const tailLength = tail === undefined ? 0 : tail.split(':').filter((group) => group !== '').length
  while (tail !== undefined && groups.length + tailLength < 8) groups.push('0')
  const wanted = tail === undefined ? groups : [...groups, ...tail.split(':').filter((group) => group !== '')]
  return `${wanted
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
