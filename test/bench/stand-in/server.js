/**
 * A chat as a competent user of socket.io, express and pg would write it, in one of the ways of stores.js (VARIANT): the
 * stand-in that the product is compared with. Prints the port it listens on.
 */
import { createServer } from 'node:http'
import express from 'express'
import jwt from 'jsonwebtoken'
import pg from 'pg'
import { Server } from 'socket.io'
import { stores } from './stores.js'

const { VARIANT = 'plain', SECRET, POOL_MAX = '10' } = process.env
const pool = new pg.Pool({ max: Number(POOL_MAX) })
const store = stores[VARIANT](pool)
/** @returns the user's id. Throws for a token that is none of ours. */
const verify = (token) => jwt.verify(token, SECRET, { algorithms: ['HS256'] }).sub

const app = express()
app.get('/chats/:id/messages', async (request, response) => {
  const userId = verify(request.headers.authorization?.replace('Bearer ', ''))
  const { rows } = await pool.query(
    `SELECT * FROM messages WHERE chat_id = $1
      AND EXISTS (SELECT 1 FROM chat_members WHERE chat_id = $1 AND user_id = $2) ORDER BY id DESC LIMIT 50`,
    [request.params.id, userId],
  )
  response.json(rows)
})

const server = createServer(app)
// Pings are rare, so that a server that stands still while another is measured loses nobody.
const io = new Server(server, {
  transports: ['websocket'],
  perMessageDeflate: false,
  serveClient: false,
  pingInterval: 300_000,
  pingTimeout: 300_000,
})

io.use((socket, next) => {
  try {
    socket.data.userId = verify(socket.handshake.auth.token)
    next()
  } catch {
    next(new Error('unauthorized'))
  }
})

io.on('connection', async (socket) => {
  const { userId } = socket.data
  socket.on('message', async (draft, acknowledge) => {
    try {
      const message = await store(userId, draft)
      socket.to(draft.chat_id).emit('new_message', message)
      acknowledge({ message })
    } catch (error) {
      acknowledge({ error: error.message })
    }
  })
  const { rows } = await pool.query('SELECT chat_id FROM chat_members WHERE user_id = $1', [userId])
  await socket.join(rows.map((row) => row.chat_id))
  socket.emit('open')
})

server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
process.on('SIGTERM', () => process.exit(0))
