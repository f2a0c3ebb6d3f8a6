/** /messages/search */
import { Elysia, t } from 'elysia'
import { asMade } from '../../http/as-made.ts'
import { CursorPage, pageFields } from '../../http/cursor.ts'
import { failures } from '../../http/failures.ts'
import { cleanText, Uuid, Whole } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { Message } from './model.ts'
import type { Search } from './search.ts'

const SearchPage = t.Object({
  q: cleanText(1, 256, { examples: ['hello wor'], description: 'Every word of it; the last may be unfinished' }),
  chat_id: t.Optional(Uuid),
  ...CursorPage.properties,
})

const units = 'In UTF-16 code units, as JavaScript, Java and NSString count'
const Snippet = t.Object({
  text: t.String({ description: 'The part around what was found: plain text, to be escaped where it becomes HTML' }),
  highlights: t.Array(t.Object({ start: Whole({ description: units }), length: Whole({ description: units }) })),
})

const SearchResults = t.Object({
  results: t.Array(t.Object({ message: Message, snippet: Snippet })),
  ...pageFields,
  is_fuzzy: t.Boolean({ description: 'Nothing had these words: words that resemble them were searched for' }),
})
type SearchResults = typeof SearchResults.static

export const searchRoutes = ({ guard, search }: { guard: Guard; search: Search }) =>
  new Elysia()
    .use(guard)
    .guard({ signedIn: true })
    .get('/messages/search', ({ userId, query, set }) => asMade<SearchResults>(set, search.search(userId, query)), {
      query: SearchPage,
      response: { 200: SearchResults, ...failures(400, 401, 404, 429) },
      detail: {
        tags: ['Messages'],
        summary: 'Search in messages',
        description:
          'Newest first, in any language, within my chats or one of them. Where nothing has these words, `is_fuzzy` says ' +
          'that similar ones were searched for. A page may hold fewer results than `limit` ' +
          'while messages are being edited; `has_more` says whether there is another.',
      },
    })
