/** Two people talk, and send a photo, by HTTPS and WebSocket at https://localhost. Runs in the network of the box. */
import sharp from 'sharp'
import { register, TestSocket } from '../support/client.ts'

// Caddy's own certificate, which nobody else knows.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
const url = 'https://localhost'
const number = () => `+1202${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`
const name = () => `user_${crypto.randomUUID().slice(0, 8)}`

const ann = await register(url, number(), name())
const ben = await register(url, number(), name())
const chat = (await ann.get(`/chats/dm/${ben.id}`)).body
const socket = new TestSocket(`wss://localhost/ws?token=${ben.token}`)
await socket.next('user_chats')
await ann.post('/messages', { chat_id: chat.id, content: 'Hello' })
const { message } = await socket.next('new_message')
if (message.content !== 'Hello') throw new Error(`Ben got ${JSON.stringify(message)}`)
await socket.close()

const photo = await sharp({ create: { width: 1600, height: 800, channels: 3, background: 'teal' } })
  .png()
  .toBuffer()
const form = new FormData()
form.set('chat_id', chat.id)
form.set('file', new Blob([photo]), 'photo.png')
const headers = { authorization: `Bearer ${ann.token}` }
const sent = await fetch(`${url}/api/v1/messages/upload`, { method: 'POST', headers, body: form })
const answer = await sent.text()
if (sent.status !== 201 || !answer.includes('image/webp')) throw new Error(`The photo: ${sent.status} ${answer}`)
