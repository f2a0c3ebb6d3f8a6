/** How each system is spoken to: the frames of one message, and what its frames mean, by as few bytes as tell. */
import { frameOf } from './wire.ts'

/** `arrived` is a message for the receiver, `stored` the answer to one's own, `open` that sending may begin. */
export type Meaning = 'arrived' | 'stored' | 'refused' | 'open' | 'other' | 'hello' | 'ping'

export interface Protocol {
  path(token: string): string
  /** What the client says after `hello`; most say nothing. */
  greeting?(token: string): Buffer
  pong?: Buffer
  /** A message, with `clientId` in it once. */
  message(chatId: string, clientId: string, content: string): Buffer
  meaning(bytes: Buffer, start: number): Meaning
}

const code = (character: string) => character.charCodeAt(0)
const [A, C, E, N, O, U] = ['a', 'c', 'e', 'n', 'o', 'u'].map(code)
const [ZERO, TWO, THREE, FOUR] = ['0', '2', '3', '4'].map(code)

/** `{"type":"new_message",...`: the type's first letters tell it. */
const TYPE_AT = '{"type":"'.length

const messenger: Protocol = {
  path: (token) => `/ws?token=${token}`,
  message: (chatId, clientId, content) =>
    frameOf(`{"type":"message","ref":1,"chat_id":"${chatId}","client_id":"${clientId}","content":"${content}"}`),
  meaning(bytes, start) {
    const first = bytes[start + TYPE_AT]
    if (first === N) return 'arrived'
    if (first === A && bytes[start + TYPE_AT + 1] === C) return 'stored'
    if (first === E) return 'refused'
    return first === U ? 'open' : 'other'
  },
}

/** Socket.IO protocol 5 in Engine.IO protocol 4 (https://socket.io/docs/v4/socket-io-protocol/), over a WebSocket alone. */
const standIn: Protocol = {
  path: () => '/socket.io/?EIO=4&transport=websocket',
  greeting: (token) => frameOf(`40{"token":"${token}"}`),
  pong: frameOf('3'),
  // 42 is an event, the 1 after it the number under which it is acknowledged.
  message: (chatId, clientId, content) =>
    frameOf(`421["message",{"chat_id":"${chatId}","client_id":"${clientId}","content":"${content}"}]`),
  meaning(bytes, start) {
    const [engine, socket] = [bytes[start], bytes[start + 1]]
    if (engine === TWO) return 'ping'
    if (engine === ZERO) return 'hello'
    if (engine !== FOUR) return 'other'
    if (socket === FOUR) return 'refused'
    // 431[{"message":... or 431[{"error":...
    if (socket === THREE) return bytes[start + '431[{"'.length] === E ? 'refused' : 'stored'
    if (socket !== TWO) return 'other'
    // 42["new_message",... or 42["open"]
    const name = bytes[start + '42["'.length]
    if (name === N) return 'arrived'
    return name === O ? 'open' : 'other'
  },
}

export const protocols = { messenger, 'stand-in': standIn }
