/** The chats that anybody here follows, in as little memory as can be: thousands of users follow hundreds of chats each. */

const FIRST_ROOM = 64
const WORDS = 4
const UUID_LENGTH = 36
const DASH = '-'.charCodeAt(0)
const DASHES_AT = [8, 13, 18, 23]
const DIGITS = '0123456789abcdef'

/**
 * A table of ids. Each has a place, a small whole number, for as long as anybody holds it, and is kept as the four numbers
 * that a UUID is: as strings in a Map they would take three times as much, and lie between what comes and goes, in parts of
 * the heap that could be given back but for them.
 */
export class ChatPlaces {
  /** By place. */
  private words = new Uint32Array(WORDS * FIRST_ROOM)
  private holders = new Uint32Array(FIRST_ROOM)
  private numbers = new Float64Array(FIRST_ROOM)
  /** Place + 1, where the hash of its id says or in the next vacant one after it; 0 is vacant. Twice as many as places. */
  private slots = new Int32Array(2 * FIRST_ROOM)
  /** Places that are free again. */
  private readonly free: number[] = []
  private used = 0
  private lastNumber = 0

  /** Holds it: once more for each call. @param id a UUID in lower case. @returns its place */
  take(id: string): number {
    const known = this.find(id)
    if (known >= 0) {
      this.holders[known] = (this.holders[known] ?? 0) + 1
      return known
    }
    if (!readId(id, 0)) throw new TypeError('The id of a chat is a UUID')
    if (this.free.length === 0 && this.used === this.holders.length) this.grow()
    const place = this.free.pop() ?? this.used++
    this.words.set(asked, WORDS * place)
    this.holders[place] = 1
    this.numbers[place] = ++this.lastNumber
    this.slots[this.slotOfAsked()] = place + 1
    return place
  }

  /** @returns the place of the id that `text` is from `at` to its end; -1 when nobody holds it, or it is none */
  find(text: string, at = 0): number {
    return readId(text, at) ? (this.slots[this.slotOfAsked()] ?? 0) - 1 : -1
  }

  /** Once for each `take`. */
  release(place: number): void {
    const left = (this.holders[place] ?? 0) - 1
    this.holders[place] = left
    if (left > 0) return
    this.vacate(this.slotOf(place))
    this.free.push(place)
  }

  idOf(place: number): string {
    let hex = ''
    for (let n = 0; n < WORDS; n++) hex += (this.words[WORDS * place + n] ?? 0).toString(16).padStart(8, '0')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  /**
   * What the sockets here subscribe to. Short, because Bun keeps what is longer beside the topic; and never given to another
   * chat, not even when the place is, so that no socket can hear of one that it does not follow.
   */
  topicOf(place: number): string {
    return String(this.numbers[place])
  }

  private grow(): void {
    const room = 2 * this.holders.length
    this.words = widened(this.words, new Uint32Array(WORDS * room))
    this.holders = widened(this.holders, new Uint32Array(room))
    this.numbers = widened(this.numbers, new Float64Array(room))
    this.slots = new Int32Array(2 * room)
    const saved = asked.slice()
    for (let place = 0; place < this.used; place++) this.slots[this.slotOf(place)] = place + 1
    asked.set(saved)
  }

  private slotOf(place: number): number {
    for (let n = 0; n < WORDS; n++) asked[n] = this.words[WORDS * place + n] ?? 0
    return this.slotOfAsked()
  }

  /** Where the id that was read last is, or would be. */
  private slotOfAsked(): number {
    const mask = this.slots.length - 1
    for (let slot = hash(asked, 0) & mask; ; slot = (slot + 1) & mask) {
      const place = (this.slots[slot] ?? 0) - 1
      if (place < 0 || this.isAsked(place)) return slot
    }
  }

  private isAsked(place: number): boolean {
    for (let n = 0; n < WORDS; n++) if (this.words[WORDS * place + n] !== asked[n]) return false
    return true
  }

  /** Those behind it move up, or they would not be found: each that had to go past the gap fills it. */
  private vacate(gap: number): void {
    const mask = this.slots.length - 1
    let vacant = gap
    for (let slot = (gap + 1) & mask; this.slots[slot]; slot = (slot + 1) & mask) {
      const place = (this.slots[slot] ?? 0) - 1
      const home = hash(this.words, WORDS * place) & mask
      const isPast = ((slot - home) & mask) >= ((slot - vacant) & mask)
      if (!isPast) continue
      this.slots[vacant] = place + 1
      vacant = slot
    }
    this.slots[vacant] = 0
  }
}

/** The id that was read last: what is asked for thousands of times a second is to leave nothing behind. */
const asked = new Uint32Array(WORDS)

/** Of a character code: the digit, -1 for none. */
const digitOf = Int8Array.from({ length: 128 }, (_, code) => DIGITS.indexOf(String.fromCharCode(code)))

/** @returns false for what is no UUID in lower case */
function readId(text: string, at: number): boolean {
  if (text.length !== at + UUID_LENGTH) return false
  let word = 0
  let digits = 0
  for (let n = 0; n < UUID_LENGTH; n++) {
    const code = text.charCodeAt(at + n)
    if (code === DASH && DASHES_AT.includes(n)) continue
    const digit = digitOf[code] ?? -1
    if (digit < 0) return false
    word = (word << 4) | digit
    if (++digits % 8 === 0) asked[digits / 8 - 1] = word
  }
  return digits === 8 * WORDS
}

/** The last words of a UUID are random, whichever version it is; these are mixed for those that are not. */
function hash(words: Uint32Array, from: number): number {
  let mixed = 0
  for (let n = from; n < from + WORDS; n++) mixed = Math.imul(mixed ^ (words[n] ?? 0), 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

function widened<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
