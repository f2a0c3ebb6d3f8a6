/** Which of a cluster's slots a key or a channel is in, and which node has them. */
import type { Endpoint } from './endpoint.ts'
import { RedisAway } from './errors.ts'
import type { RedisReply } from './reply.ts'

export const SLOT_COUNT = 16_384

/** CRC-16/XMODEM of each byte. */
const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

/**
 * Of a key with a hash tag (`{...}`, not empty) only the tag counts.
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) & 0xffff) ^ (CRC_TABLE[(crc >> 8) ^ byte] ?? 0)
  return crc % SLOT_COUNT
}

/** From and to are both within. */
export interface SlotRange {
  from: number
  to: number
  master: Endpoint
}

type Ask = (command: readonly string[]) => Promise<RedisReply>

/** @returns the slots of a cluster and who has them; undefined: it is a single server. `asked` is who answers. */
export async function readSlots(asked: Endpoint, ask: Ask): Promise<SlotRange[] | undefined> {
  const info = await ask(['INFO', 'cluster'])
  if (!String(info).includes('cluster_enabled:1')) return undefined
  const slots = await ask(['CLUSTER', 'SLOTS'])
  if (!Array.isArray(slots)) throw new RedisAway('CLUSTER SLOTS was not understood')
  return slots.map((range) => readRange(asked, range))
}

/** `[from, to, [host, port, id, ...], replicas...]` */
function readRange(asked: Endpoint, range: RedisReply): SlotRange {
  const [from, to, master] = Array.isArray(range) ? range : []
  const [host, port] = Array.isArray(master) ? master : []
  // A node that does not know its own name leaves it out: it is the one that was asked.
  const isNamed = typeof host === 'string' && host !== '' && host !== '?'
  return { from: Number(from), to: Number(to), master: { host: isNamed ? host : asked.host, port: Number(port) } }
}
