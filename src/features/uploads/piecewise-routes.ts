/** /uploads: the tus protocol, and what an upload has become. */
import { Elysia, t } from 'elysia'
import { unsupportedMediaType } from '../../errors.ts'
import { failures } from '../../http/failures.ts'
import { patiently } from '../../http/steady-body.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { PIECE_DOCS } from './docs.ts'
import { PiecewiseUpload } from './model.ts'
import type { PiecewiseUploads } from './piecewise.ts'
import { parseMetadata, requireTusVersion, TUS_BODY, TUS_VERSION } from './tus.ts'

const OneUpload = t.Object({ id: Uuid })
const Bytes = (description: string, example: string) =>
  t.String({
    pattern: '^[0-9]{1,15}$',
    error: 'must be a whole number of bytes',
    description,
    examples: [example],
  })
const Beginning = t.Object({
  'upload-length': Bytes('Of the whole file, in bytes', '104857600'),
  'upload-metadata': t.String({
    maxLength: 32_768,
    error: 'must be keys with values in Base64',
    description:
      '`chat_id`, and as wanted `filename`, `content` (the caption), `client_id`, `reply_to_id`: each with its value in Base64, with ' +
      'commas between them',
    examples: ['chat_id MDE5MGY2YTItN2MxZS03MDAwLTgwMDAtMDAwMDAwMDAwMDAx,filename aG9saWRheS5tcDQ='],
  }),
})
const Going = t.Object({ 'upload-offset': Bytes('Where the body belongs: what HEAD said', '0') })

const detail = (summary: string, description: string) => ({ tags: ['Media'], summary, description })

const headersOf = ({ size, offset, expires_at }: PiecewiseUpload) => ({
  'upload-length': String(size),
  'upload-offset': String(offset),
  // RFC 9110, 5.6.7.
  'upload-expires': new Date(expires_at).toUTCString(),
})

export const piecewiseRoutes = ({ guard, piecewise }: { guard: Guard; piecewise: PiecewiseUploads }) =>
  new Elysia({ prefix: '/uploads' })
    .use(guard)
    .onBeforeHandle(({ request, set }) => {
      set.headers['tus-resumable'] = TUS_VERSION
      if (request.method !== 'GET') requireTusVersion(request.headers.get('tus-resumable'))
    })
    .post(
      '/',
      async ({ userId, headers, set, status }) => {
        const metadata = parseMetadata(headers['upload-metadata'])
        const upload = await piecewise.begin(userId, Number(headers['upload-length']), metadata)
        Object.assign(set.headers, headersOf(upload), { location: `/api/v1/uploads/${upload.id}` })
        return status(201, upload)
      },
      {
        signedIn: true,
        headers: Beginning,
        response: { 201: PiecewiseUpload, ...failures(400, 401, 403, 404, 409, 412, 413, 429) },
        detail: detail(
          'Begin an upload in pieces',
          'By the tus protocol, version 1.0.0 (creation, expiration, termination): use any client of it. The upload lives for a ' +
            'day, across restarts and on every instance. `Location` is where the pieces go.',
        ),
      },
    )
    .head(
      '/:id',
      async ({ userId, params, set }) => {
        Object.assign(set.headers, headersOf(await piecewise.get(userId, params.id)))
      },
      {
        signedIn: true,
        params: OneUpload,
        response: { 200: t.Void(), ...failures(400, 401, 404, 412, 429) },
        detail: detail('How much of an upload is there', '`Upload-Offset` says it.'),
      },
    )
    .get('/:id', ({ userId, params }) => piecewise.get(userId, params.id), {
      signedIn: true,
      params: OneUpload,
      response: { 200: PiecewiseUpload, ...failures(400, 401, 404, 429) },
      detail: detail('An upload in pieces', 'With the message that it became, when all of it was there.'),
    })
    .patch(
      '/:id',
      async ({ userId, params, headers, request, server, set, status }) => {
        if (request.headers.get('content-type') !== TUS_BODY) throw unsupportedMediaType(TUS_BODY)
        const received = piecewise.append(userId, params.id, Number(headers['upload-offset']), request)
        set.headers['upload-offset'] = String(await patiently(server, request, received))
        return status(204, undefined)
      },
      {
        streams: true,
        params: OneUpload,
        headers: Going,
        response: { 204: t.Void(), ...failures(400, 401, 403, 404, 408, 409, 412, 413, 429, 507) },
        detail: {
          ...detail(
            'Send a piece',
            'What follows `Upload-Offset`: at least 64 KB, or the rest. What came before the connection broke is kept. The last byte ' +
              'counts as received when the message is there: its id is that of the upload, and GET shows it.',
          ),
          requestBody: PIECE_DOCS,
        },
      },
    )
    .delete(
      '/:id',
      async ({ userId, params, status }) => {
        await piecewise.remove(userId, params.id)
        return status(204, undefined)
      },
      {
        signedIn: true,
        params: OneUpload,
        response: { 204: t.Void(), ...failures(400, 401, 404, 412, 429) },
        detail: detail('Give an upload up', 'What came of it is removed. The message that it became stays.'),
      },
    )
