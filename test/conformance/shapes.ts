/** The types that the document shows, as matchers for whole shapes. */

import { expect } from 'bun:test'
import type { Answer, Fields } from './client.ts'

export const UUID = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
/** ISO 8601 in UTC. */
export const INSTANT = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/)
export const JWT = expect.stringMatching(/^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/)
export const SOME_TEXT = expect.stringMatching(/\S/)

/** What the server may add; a client of the document does not look at it. */
const ADDED_TO_MESSAGES = ['seq', 'rev', 'client_id', 'reply_to_id', 'updated_at', 'deleted_at', 'media', 'media_url']
const ADDED: Record<string, string[]> = {
  message: ADDED_TO_MESSAGES,
  refresh: ['refresh_token'],
  profile: ['is_deleted', 'upload_max_bytes'],
  dm: [
    ...['owner_id', 'avatar_url', 'role', 'is_read_only', 'peer', 'last_message', 'last_message_at', 'unread_count'],
    ...['last_seq', 'last_rev', 'last_read_seq', 'peer_read_seq'],
  ],
  user_chats: ['heads'],
  new_message: ['chat_id', 'seq', 'rev'],
  read: ['last_read_seq'],
}

/** The answer or frame without what the server may add to this kind; anything else that is too much stays. */
export function documented(kind: string, fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !ADDED[kind]?.includes(name)))
}

/** A refusal of the documented shape. With `faulty` its details name exactly these fields, each with a text. */
export function expectError({ status, body }: Answer, expected: number, ...faulty: string[]): void {
  const details = faulty.length > 0 ? Object.fromEntries(faulty.map((name) => [name, SOME_TEXT])) : expect.any(Object)
  expect({ status, body }).toEqual({ status: expected, body: { error: SOME_TEXT, details } })
}

/** Unix time in seconds, of now. */
export function expectNow(timestamp: unknown): void {
  expect(Number.isInteger(timestamp)).toBe(true)
  expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(5)
}

/** An ISO instant of now. */
export function expectRecent(instant: unknown): void {
  expect(instant).toEqual(INSTANT)
  expect(Math.abs(Date.parse(String(instant)) - Date.now())).toBeLessThan(15_000)
}
