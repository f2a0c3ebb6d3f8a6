/**
 * Three ways to store a message, from what a first version does to what ours promises. Each resolves to the stored
 * message after its commit, or throws.
 */

/** A membership check and an INSERT, as every tutorial has it. */
function plain(pool) {
  return async (userId, { chat_id, client_id, content }) => {
    const member = await pool.query('SELECT 1 FROM chat_members WHERE chat_id = $1 AND user_id = $2', [chat_id, userId])
    if (member.rowCount === 0) throw new Error('not a member')
    const { rows } = await pool.query(
      'INSERT INTO messages (chat_id, sender_id, content) VALUES ($1, $2, $3) RETURNING id, created_at',
      [chat_id, userId, content],
    )
    return { ...rows[0], chat_id, sender_id: userId, client_id, content }
  }
}

/** The same, tuned: who is a member is remembered, and the INSERT is prepared once a connection. */
function tuned(pool) {
  const isMember = rememberMembers(pool)
  const insert = {
    name: 'insert-message',
    text: 'INSERT INTO messages (chat_id, sender_id, content) VALUES ($1, $2, $3) RETURNING id, created_at',
  }
  return async (userId, { chat_id, client_id, content }) => {
    if (!(await isMember(chat_id, userId))) throw new Error('not a member')
    const { rows } = await pool.query({ ...insert, values: [chat_id, userId, content] })
    return { ...rows[0], chat_id, sender_id: userId, client_id, content }
  }
}

/** With what ours guarantees: numbers without gaps and no message twice, in one transaction a message; tuned as well. */
function guarantees(pool) {
  const bump = {
    name: 'bump-chat',
    text: `UPDATE chats SET last_seq = last_seq + 1
      WHERE id = $1 AND EXISTS (SELECT 1 FROM chat_members WHERE chat_id = $1 AND user_id = $2) RETURNING last_seq`,
  }
  const insert = {
    name: 'insert-numbered',
    text: `INSERT INTO messages (chat_id, sender_id, content, seq, client_id) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (sender_id, chat_id, client_id) DO NOTHING RETURNING id, created_at`,
  }
  const find = {
    name: 'find-message',
    text: `SELECT id, created_at, seq, content FROM messages WHERE sender_id = $1 AND chat_id = $2 AND client_id = $3`,
  }
  return async (userId, { chat_id, client_id, content }) => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const bumped = await client.query({ ...bump, values: [chat_id, userId] })
      if (bumped.rowCount === 0) throw new Error('not a member')
      const seq = bumped.rows[0].last_seq
      const { rows } = await client.query({ ...insert, values: [chat_id, userId, content, seq, client_id] })
      const isRepeat = rows.length === 0
      await client.query(isRepeat ? 'ROLLBACK' : 'COMMIT')
      const stored = isRepeat
        ? (await client.query({ ...find, values: [userId, chat_id, client_id] })).rows[0]
        : rows[0]
      return { seq, content, ...stored, chat_id, sender_id: userId, client_id }
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
}

function rememberMembers(pool) {
  const known = new Map()
  return async (chatId, userId) => {
    let members = known.get(chatId)
    if (!members) {
      const { rows } = await pool.query('SELECT user_id FROM chat_members WHERE chat_id = $1', [chatId])
      members = new Set(rows.map((row) => row.user_id))
      known.set(chatId, members)
    }
    return members.has(userId)
  }
}

export const stores = { plain, tuned, guarantees }
