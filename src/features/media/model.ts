/** The shapes of files: what clients are told of them. */
import { t } from 'elysia'
import type { MediaJson } from '../../db/schema/index.ts'
import { Instant, Whole } from '../../http/text.ts'

export const MEDIA_KINDS = ['image', 'video', 'audio', 'file'] as const
export type MediaKind = (typeof MEDIA_KINDS)[number]

export const Media = t.Object(
  {
    file_path: t.String({
      examples: ['uploads/2026/01/15/4pq9sGk2vB0n7XcR1mZyLw.webp'],
      description: 'Open it at `/media/{file_path}`',
    }),
    thumbnail: t.Nullable(t.String({ examples: ['uploads/2026/01/15/4pq9sGk2vB0n7XcR1mZyLw_thumb.jpg'] })),
    file_name: t.String({ examples: ['holiday.jpg'], description: 'As it was sent, for showing and saving' }),
    file_size: Whole({ examples: [15_420], description: 'In bytes' }),
    mime_type: t.String({ examples: ['image/webp'] }),
    width: t.Nullable(Whole({ examples: [500] })),
    height: t.Nullable(Whole({ examples: [375] })),
    duration: t.Nullable(t.Number({ description: 'In seconds' })),
    preview: t.Nullable(t.String({ description: 'A picture of some 20 pixels as a data: URL, to paint at once' })),
    waveform: t.Nullable(
      t.Array(Whole(), { description: 'How loud it is, from the beginning to the end: 64 numbers from 0 to 31' }),
    ),
    compressed: t.Boolean({ description: 'The file was re-encoded' }),
    status: t.UnionEnum(['ready', 'processing'], {
      description: 'processing: it cannot be opened yet; `message_updated` tells when it can',
    }),
  },
  { description: 'The file of the message' },
)
export type Media = MediaJson

/** A path as messages name it. What is none is a file that is not there. */
export const FilePath = t.String({ examples: ['uploads/2026/01/15/4pq9sGk2vB0n7XcR1mZyLw.webp'] })

/** All three, or none with a token. */
export const LinkQuery = t.Object({
  u: t.Optional(t.String({ description: 'Of a link: the user it is for' })),
  t: t.Optional(t.String({ description: 'Of a link: until when, in Unix seconds' })),
  s: t.Optional(t.String({ description: 'Of a link: its signature' })),
})
export interface LinkQuery {
  u?: string
  t?: string
  s?: string
}

export const MediaPaths = t.Object({
  paths: t.Array(FilePath, { minItems: 1, maxItems: 100, error: 'must be 1 to 100 paths of files' }),
})

export const MediaLinks = t.Object({
  links: t.Array(
    t.Object({
      path: FilePath,
      url: t.String({
        description: 'On this server',
        examples: ['/api/v1/media/uploads/2026/01/15/4pq9sGk2vB0n7XcR1mZyLw.webp?u=...&t=1768478400&s=...'],
      }),
      expires_at: Instant,
    }),
  ),
  not_found: t.Array(FilePath, { description: 'Those that are not there, or not for the caller to see' }),
})
export type MediaLinks = typeof MediaLinks.static
