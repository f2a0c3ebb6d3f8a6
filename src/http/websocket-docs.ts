/** The WebSocket in words, for the page that documents the API. */

export const WEBSOCKET_DOCS = `A messenger for one small box: REST below, real time over one WebSocket.

Register or log in, press **Authorize** and paste the token.

Errors are \`{"error": "...", "details": {...}}\`: for 400 and 409 \`details\` names each faulty field, for 429 and 503 it holds
\`retry_after\` seconds. A chat one is not in is 404, like one that does not exist.

A chat is a direct one, a group or a channel; messages, history, read marks, search and sync are the same for all three.
Lists come in pages of up to 100: \`next_cursor\` of one is the \`cursor\` of the next.`

export const SOCKET_DOCS = `Becomes a WebSocket. The access token comes by \`?token=\`, by \`Authorization: Bearer\`, by
\`Sec-WebSocket-Protocol: bearer, <token>\`, or by a first frame \`{"type": "auth", "token": "..."}\` at once:
a socket without one is closed (4401) before it is 5 s old.

Frames are JSON text of at most 64 KB. Every frame of yours may carry \`ref\` (a string of up to 64 characters or a whole
number); its answer is \`{"type": "ack", "ref": ...}\` or \`{"type": "error", "ref": ..., "status": 404, "error": "...", "details": {...}}\`:
the words and the status are those that the same failure has in REST.

### You send

| Frame | What it does |
|---|---|
| \`{"type": "message", "chat_id", "content", "client_id"?, "reply_to_id"?}\` | Sends; the ack carries the stored message. A repeated \`client_id\` answers the first one. |
| \`{"type": "typing", "chat_id"}\` | Shows the others that you type; clears itself after 3 s. |
| \`{"type": "read", "chat_id", "seq"?}\` | Moves your read mark to \`seq\` (unset: to the end); the ack carries the mark. |
| \`{"type": "join_chat", "chat_id"}\` | You look at the chat: before the ack one \`chat_presence\` comes for each of up to 200 others who do already. |
| \`{"type": "leave_chat", "chat_id"}\` | You look away; closing the socket does it too. |
| \`{"type": "ping"}\` | Answered by \`pong\`. |
| \`{"type": "auth", "token"}\` | Signs in, or keeps the socket open with a fresh token of the same session. |
| \`{"type": "call_invite", "chat_id", "media"}\` | Calls the other one of a direct chat, with \`media\` \`audio\` or \`video\`; the ack carries \`call_id\`, \`state\` and \`expires_at\`. See below. |
| \`{"type": "call_ringing", "call_id"}\` | You show the call: the caller is told. |
| \`{"type": "call_accept", "call_id"}\` | You answer; the first of your devices wins. |
| \`{"type": "call_decline", "call_id"}\` | You do not want to answer. |
| \`{"type": "call_busy", "call_id"}\` | You cannot answer. |
| \`{"type": "call_offer", "call_id", "sdp"}\` | For the other device: a session description of up to 32,768 characters. |
| \`{"type": "call_answer", "call_id", "sdp"}\` | For the other device, in answer to its offer. |
| \`{"type": "call_candidate", "call_id", "candidate"}\` | For the other device: \`RTCIceCandidate.toJSON()\`. |
| \`{"type": "call_resume", "call_id"}\` | You are back in your call, on a new socket of the same session. |
| \`{"type": "call_end", "call_id"}\` | You hang up. |

Messages of one socket are numbered in the order they are sent; its other frames wait for them. 30 messages in 10 s of a
user and 100 other frames in 10 s of a socket are taken, unless the server is set otherwise; above that the answer is an
\`error\` with \`details.retry_after\`, and the socket stays open. A user opens as many sockets in a minute as requests are
allowed.

### You get

| Event | When |
|---|---|
| \`{"type": "user_chats", "chat_ids", "heads": {chat_id: {seq, rev}}}\` | First: your chats and where each stands. Then sync what you miss. |
| \`{"type": "new_message", "message"}\` | A message in one of your chats, your own included. |
| \`{"type": "message_updated", "chat_id", "message_id", "seq", "rev", "message"}\` | It was edited, or its file is there now (\`media.status\`). |
| \`{"type": "message_deleted", "chat_id", "message_id", "seq", "rev", "message"}\` | It was deleted: \`message\` is its tombstone. |
| \`{"type": "media_progress", "chat_id", "message_id", "percent"}\` | How far the making of a file that you sent has come, at most once a second. |
| \`{"type": "read", "chat_id", "user_id", "last_read_at", "last_read_seq", "unread_count", "message_id"}\` | Somebody's read mark moved, or yours on another device. |
| \`{"type": "typing", "chat_id", "user_id", "is_typing", "timestamp"}\` | Somebody types, or stopped. |
| \`{"type": "online_status", "user_id", "is_online", "timestamp"}\` | A state, not a change: it may come once for each chat you share. Offline is told 5 s after the last socket closed. |
| \`{"type": "chat_presence", "chat_id", "user_id", "is_joined"}\` | Somebody looks at a chat, or away. |
| \`{"type": "chat_created", "chat_id", "head", "chat"}\` | You are in a new chat: made, added, joined or subscribed. Its events follow. |
| \`{"type": "chat_updated", "chat_id", ...}\` | With what changed: \`name\`, \`avatar_url\`, \`description\`, \`is_public\`, \`owner_id\`, \`is_read_only\`, or \`member\` (\`{user_id, role}\`) for a role. |
| \`{"type": "chat_removed", "chat_id"}\` | You are not in it any more, or it was deleted. |
| \`{"type": "member_joined", "chat_id", "user_id", "member_count"}\` | Somebody came into a group. |
| \`{"type": "member_left", "chat_id", "user_id", "member_count"}\` | Somebody left a group, or was removed. |
| \`{"type": "call_invite", "call_id", "chat_id", "caller_id", "media", "expires_at"}\` | Somebody calls you. A state: it may come twice, and a socket that opens meanwhile gets it too. |
| \`{"type": "call_ringing", "call_id"}\` | A device of the one you call shows it. |
| \`{"type": "call_accept", "call_id"}\` | Your call is answered: send the offer. |
| \`{"type": "call_answered_elsewhere", "call_id"}\` | Another device of yours has the call. |
| \`{"type": "call_offer", "call_id", "sdp"}\` | From the other device. |
| \`{"type": "call_answer", "call_id", "sdp"}\` | From the other device. |
| \`{"type": "call_candidate", "call_id", "candidate"}\` | From the other device. |
| \`{"type": "call_resume", "call_id"}\` | The other one is back on a new socket. |
| \`{"type": "call_end", "call_id", "chat_id", "outcome", "duration"}\` | It is over: \`completed\`, \`declined\`, \`busy\`, \`cancelled\` (by the caller), \`missed\`, or \`failed\` (a party was lost). |
| \`{"type": "resync"}\` | You may have missed something: sync now. See below. |
| \`{"type": "token_expiring", "expires_in"}\` | 60 s before your token ends: send \`auth\` with a fresh one. |
| \`{"type": "session_revoked"}\` | Your session ended; the socket closes with 4401. |
| \`{"type": "pong", "timestamp"}\` | The answer to \`ping\`. |

### Who is told what

In a **channel**, and in a group of **more than 200 members**, nobody is told who types, who is online or who looks at it,
and a \`read\` goes to the reader's own sockets alone. \`typing\` and \`join_chat\` tell nobody there.

A **channel** tells nobody who subscribes or unsubscribes: there is no \`member_joined\` and no \`member_left\`. A role that
changes there comes as \`chat_updated\` with \`member\` to the one whose it is; a new owner as \`owner_id\` to everybody, and
as \`member\` to the new one and the former one. In a group everybody gets all of it.

Whom you have **blocked** sees nothing of your presence, in groups neither: no \`online_status\`, \`chat_presence\` or
\`typing\` of yours. At the moment of the block you go offline for them.

### Calls

A call is between two devices, and a device is one socket. Every device of the callee rings for 45 s; the first
\`call_accept\` wins. Then the caller's device sends \`call_offer\`, the callee's \`call_answer\`, both their
\`call_candidate\`s, and the media goes from one to the other (\`GET /calls/ice-servers\` has what
\`RTCPeerConnection\` needs). Nobody else hears any of it; what a call cannot take in its state is answered by an error.

After \`call_end\` or \`call_answered_elsewhere\` nothing of that call counts any more, whatever else of it comes late.

Everybody is in one call at a time. Calling somebody who is in another one is acknowledged with \`state\` \`ended\` and
\`outcome\` \`busy\`. Of two that call each other at the same moment the earlier call rings; the other one is refused with
its \`call_id\`, to be answered.

A device whose socket closes keeps its place for 15 s: open another one with the same session and send \`call_resume\`. What
was sent to it meanwhile is lost, so that after \`call_resume\`, sent or received, the caller's device makes a new offer
with a restart of ICE. After \`resync\` do the same on the socket that stayed open: the ack tells the call's \`state\`,
an error that it has ended. What became of a call is a message of the caller, with \`message_type\` \`call\` and
\`call: {media, outcome, duration}\`.

### Nothing missed

Between sockets only \`seq\` orders. After a gap in \`seq\` (wait 2 s, it may close by itself) or a reconnection ask
\`POST /sync\`: open the socket first, then sync, and drop what you have.

\`resync\` asks for the same on a socket that stays open: where several instances serve, yours may not have heard of what
happened on another. It comes when the way between them is whole again, every 15 s while it is not, and when a chat you
joined could not be read. What you send is stored and answered all the while.

### Close codes

1001 the server stops, connect again · 1009 a frame above 1 MiB · 1013 something is away, connect again later ·
4400 too many faulty frames (50 in 10 s) · 4401 not signed in, or not any more ·
4409 you have more than 100 sockets (unless the server is set otherwise), and this was the oldest of the session that has
the most: connect again when somebody looks · 1006 without a close frame: you read too
slowly (more than 1 MiB was waiting, or you had the most of what waited for all), or the connection was lost.`
