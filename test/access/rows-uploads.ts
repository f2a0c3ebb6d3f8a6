/** Uploads: who may make messages of files, and whose an unfinished one is. */
import { type Answers, created, inChat, noChat, type Row, refused, shutOut, signedIn } from './answers.ts'
import type { World } from './world.ts'

const done = { status: 204 }
const noUpload = refused(404, 'Upload not found')
const anyPoster = inChat({ member: created, admin: created, owner: created, dmPeer: created })
/** Of the member, or of the peer of the direct chat. */
const itsOwner = (answer: { status: number }) => ({ ...signedIn(noUpload), member: answer, dmPeer: answer })
/** Refusals say nothing then. */
const withoutBody = (answers: Answers) =>
  Object.fromEntries(Object.entries(answers).map(([role, { status }]) => [role, { status }])) as Answers
const uploadId = ({ uploadId }: World) => ({ id: uploadId })
const path = '/api/v1/uploads/:id'

const form = (chatId: string) => {
  const form = new FormData()
  form.set('chat_id', chatId)
  form.set('file', new File(['hello world'], 'hello.txt'))
  return form
}

export const uploadRows: Row[] = [
  {
    route: 'POST /api/v1/messages/upload',
    body: ({ chatId }) => form(chatId),
    answers: anyPoster,
    changes: true,
  },
  {
    route: 'POST /api/v1/messages/upload',
    about: 'to a channel',
    body: ({ channel }) => form(channel.id),
    answers: {
      ...shutOut,
      stranger: noChat,
      exMember: noChat,
      dmPeer: noChat,
      member: refused(403, 'You may not post in this channel'),
      admin: created,
      owner: created,
    },
    changes: true,
  },
  {
    route: 'POST /api/v1/uploads/',
    headers: ({ chatId }) => ({ 'upload-length': '11', 'upload-metadata': `chat_id ${btoa(chatId)}` }),
    answers: anyPoster,
    changes: true,
  },
  { route: `HEAD ${path}`, params: uploadId, answers: withoutBody(itsOwner({ status: 200 })) },
  { route: `GET ${path}`, params: uploadId, answers: itsOwner({ status: 200 }) },
  {
    route: `PATCH ${path}`,
    params: uploadId,
    headers: () => ({ 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }),
    body: () => 'hello world',
    answers: itsOwner(done),
    changes: true,
  },
  { route: `DELETE ${path}`, params: uploadId, answers: itsOwner(done), changes: true },
]
