import { describe, expect, it } from 'bun:test'
import { createClientAddress, limitUnit } from '../../src/http/client-address.ts'
import { createLog } from '../../src/observability/log.ts'

function resolver(...trusted: string[]) {
  const warnings: string[] = []
  const address = createClientAddress(
    trusted,
    createLog('warn', (line) => warnings.push(line)),
  )
  const of = (peer: string | undefined, forwarded?: string) =>
    address(new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }), peer)
  return { of, warnings }
}

describe('the address of a caller', () => {
  it('is the peer when no proxy is trusted, whatever is claimed; that is warned of once', () => {
    const { of, warnings } = resolver()
    expect(of('203.0.113.5')).toBe('203.0.113.5')
    expect(warnings).toEqual([])
    expect(of('203.0.113.5', '1.2.3.4')).toBe('203.0.113.5')
    expect(of('203.0.113.6', '1.2.3.4')).toBe('203.0.113.6')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('203.0.113.5')
  })

  it('is an IPv4 address also when it comes mapped into IPv6', () => {
    const { of } = resolver('127.0.0.1')
    expect(of('::ffff:203.0.113.5')).toBe('203.0.113.5')
    expect(of('::FFFF:127.0.0.1', '::ffff:198.51.100.7')).toBe('198.51.100.7')
  })

  it.each([
    ['from a trusted proxy', '198.51.100.7', '198.51.100.7'],
    ['from IPv6', '2001:db8::7', '2001:db8::7'],
    ['the last one, since those before it may be made up', '1.1.1.1, 198.51.100.7', '198.51.100.7'],
    ['the last one that is no trusted proxy', '1.1.1.1,198.51.100.7 , 10.1.2.3, 127.0.0.1', '198.51.100.7'],
    ['the first one where all are trusted', '10.9.9.9, 10.1.2.3', '10.9.9.9'],
    ['the proxy, where what it says is no address', 'unknown', '127.0.0.1'],
    ['the proxy, where what it says is no address after one', '198.51.100.7, x', '127.0.0.1'],
    ['the proxy, where it says nothing', '', '127.0.0.1'],
    ['the proxy, where it sends rubbish', ', ,;"<script>', '127.0.0.1'],
  ])('is what X-Forwarded-For says, %s', (_, forwarded, expected) => {
    const { of, warnings } = resolver('127.0.0.1', '10.0.0.0/8', 'fd00::/8')
    expect(of('127.0.0.1', forwarded)).toBe(expected)
    expect(warnings).toEqual([])
  })

  it('knows proxies by network, of both families', () => {
    const { of } = resolver('10.0.0.0/8', 'fd00::/8')
    expect(of('10.255.0.1', '198.51.100.7')).toBe('198.51.100.7')
    expect(of('fd12::1', '198.51.100.7')).toBe('198.51.100.7')
    expect(of('11.0.0.1', '198.51.100.7')).toBe('11.0.0.1')
    expect(of('fe80::1', '198.51.100.7')).toBe('fe80::1')
    expect(of('::ffff:10.0.0.1', '198.51.100.7')).toBe('198.51.100.7')
  })

  it('does without a peer', () => {
    expect(resolver().of(undefined)).toBe('0.0.0.0')
  })
})

describe('the unit of limits', () => {
  it.each([
    ['203.0.113.5', '203.0.113.5'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['not an address', 'not an address'],
  ])('of %s is %s', (address, unit) => {
    expect(limitUnit(address)).toBe(unit)
  })
})
