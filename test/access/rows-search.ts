/** Search in messages: who may do what. */
import { anyMember, faulty, ok, type Row, signedIn } from './answers.ts'

const route = 'GET /api/v1/messages/search'

export const searchRows: Row[] = [
  { route, query: '?q=said', answers: signedIn(ok) },
  { route, about: 'in one chat', query: '?q=said&chat_id=:chat_id', answers: anyMember },
  { route, about: 'for nothing', query: '?q=%20', answers: signedIn(faulty) },
]
