/** The WebSocket in words, for the page that documents the API. */

export const WEBSOCKET_DOCS = `A messenger for one small box: REST below, real time over one WebSocket.

Register or log in, press **Authorize** and paste the token.

Errors are \`{"error": "...", "details": {...}}\`: for 400 and 409 \`details\` names each faulty field, for 429 and 503 it holds
\`retry_after\` seconds.`

export const SOCKET_DOCS = `Becomes a WebSocket. The access token comes by \`?token=\`, by \`Authorization: Bearer\`, by
\`Sec-WebSocket-Protocol: bearer, <token>\`, or by a first frame \`{"type": "auth", "token": "..."}\` within 5 s.

Frames are JSON text of at most 64 KB. Every frame of yours may carry \`ref\` (a string or a whole number); its answer is
\`{"type": "ack", "ref": ...}\` or \`{"type": "error", "ref": ..., "error": "...", "details": {...}}\`.

### You send

| Frame | What it does |
|---|---|
| \`{"type": "message", "chat_id", "content", "client_id"?, "reply_to_id"?}\` | Sends; the ack carries the stored message. A repeated \`client_id\` answers the first one. |
| \`{"type": "typing", "chat_id"}\` | Shows the others that you type; clears itself after 3 s. |
| \`{"type": "read", "chat_id", "seq"?}\` | Moves your read mark to \`seq\` (unset: to the end); the ack carries the mark. |
| \`{"type": "join_chat", "chat_id"}\` | Tells who looks at the chat: one \`chat_presence\` for each that does. |
| \`{"type": "leave_chat", "chat_id"}\` | Takes that back. |
| \`{"type": "ping"}\` | Answered by \`pong\`. |
| \`{"type": "auth", "token"}\` | Signs in, or keeps the socket open with a fresh token of the same session. |

### You get

| Event | When |
|---|---|
| \`{"type": "user_chats", "chat_ids", "heads": {chat_id: {seq, rev}}}\` | First: your chats and where each stands. Then sync what you miss. |
| \`{"type": "new_message", "message"}\` | A message in one of your chats, your own included. |
| \`message_updated\`, \`message_deleted\` | With \`chat_id, message_id, seq, rev, message\`. |
| \`{"type": "read", "chat_id", "user_id", "last_read_at", "last_read_seq", "unread_count", "message_id"}\` | Somebody's read mark moved. |
| \`{"type": "typing", "chat_id", "user_id", "is_typing", "timestamp"}\` | Somebody types, or stopped. |
| \`{"type": "online_status", "user_id", "is_online", "timestamp"}\` | May come once for each chat you share. |
| \`{"type": "chat_presence", "chat_id", "user_id", "is_joined"}\` | Somebody looks at a chat, or away. |
| \`{"type": "chat_created", "chat_id", "head", "chat"}\`, \`chat_updated\`, \`chat_removed\` | Your chats changed. |
| \`member_joined\`, \`member_left\` | With \`chat_id, user_id, member_count\`. |
| \`{"type": "token_expiring", "expires_in"}\` | 60 s before your token ends: send \`auth\` with a fresh one. |
| \`session_revoked\`, \`resync\`, \`pong\` | Your session ended; sync now; answer to \`ping\`. |

Between sockets only \`seq\` orders. After a gap or a reconnection ask \`POST /sync\`.

### Close codes

1001 the server stops, connect again · 1009 a frame above 1 MiB · 1013 something is away, connect again later ·
4400 too many faulty frames · 4401 not signed in, or not any more · 1006 without a close frame: you read too slowly
(more than 1 MiB was waiting).`
