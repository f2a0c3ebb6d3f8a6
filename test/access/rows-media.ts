/** Files: who may open them. */
import { createLinks } from '../../src/features/media/links.ts'
import type { TestUser } from '../support/client.ts'
import { TEST_SECRET } from '../support/server.ts'
import { type Answers, everybody, noToken, ok, type Row, refused, shutOut, signedIn } from './answers.ts'
import type { World } from './world.ts'

const noFile = refused(404, 'File not found')
const notValid = refused(403, 'This link is not valid')
const notYours = refused(403, 'This link is for somebody else')
const expired = refused(401, 'This link has expired; ask for another one')

/** By a token. */
const byMembers: Answers = { ...signedIn(ok), stranger: noFile, exMember: noFile }
const links = createLinks({ secret: TEST_SECRET })
const oldLinks = createLinks({ secret: TEST_SECRET, now: () => Date.now() - 3 * 3600 * 1000 })

const path = ({ filePath }: World) => ({ file_path: encodeURIComponent(filePath) })
/** The owner's, or that of the other one in the direct chat. */
const signedFor = ({ id }: TestUser, filePath: string, by = links) => by.sign(filePath, id).query

/** Rows for a path in one piece; the other route is the same with its slashes as they are. */
const anyRoute = (
  row: Omit<Row, 'route' | 'params'> & { queryOf?: (world: World, actor: TestUser | undefined) => string },
): Row[] => {
  const { queryOf, ...rest } = row
  const query = queryOf ? '?:query' : ''
  const params = (world: World, actor: TestUser | undefined) => ({ query: queryOf?.(world, actor) ?? '' })
  return [
    {
      ...rest,
      route: 'GET /api/v1/media/:file_path',
      query,
      params: (world, actor) => ({ ...params(world, actor), ...path(world) }),
    },
    {
      ...rest,
      route: 'GET /api/v1/media/*',
      query,
      params: (world, actor) => ({ ...params(world, actor), '*': world.filePath }),
    },
  ]
}

export const mediaRows: Row[] = [
  {
    route: 'GET /api/v1/avatars/:name',
    params: () => ({ name: `${'a'.repeat(22)}.webp` }),
    answers: everybody(refused(404, 'No such picture')),
  },
  ...anyRoute({ about: 'by a token', answers: byMembers }),
  ...anyRoute({
    about: "by the owner's link",
    queryOf: ({ actors, filePath }) => signedFor(actors.owner, filePath),
    // Whoever has no token is taken for whom the link is for; a token says better.
    answers: { ...everybody(notYours), anonymous: ok, owner: ok, deleted: shutOut.deleted, revoked: shutOut.revoked },
  }),
  ...anyRoute({
    about: "by a stranger's link",
    queryOf: ({ actors, filePath }) => signedFor(actors.stranger, filePath),
    answers: {
      ...everybody(notYours),
      anonymous: noFile,
      stranger: noFile,
      deleted: shutOut.deleted,
      revoked: shutOut.revoked,
    },
  }),
  ...anyRoute({
    about: 'by the link of one who was removed',
    queryOf: ({ actors, filePath }) => signedFor(actors.exMember, filePath),
    answers: {
      ...everybody(notYours),
      anonymous: noFile,
      exMember: noFile,
      deleted: shutOut.deleted,
      revoked: shutOut.revoked,
    },
  }),
  ...anyRoute({
    about: 'by the link of a deleted account',
    queryOf: ({ actors, filePath }) => signedFor(actors.deleted, filePath),
    answers: { ...everybody(notYours), anonymous: noFile, deleted: shutOut.deleted, revoked: shutOut.revoked },
  }),
  ...anyRoute({
    about: 'by a link of oneself that is altered',
    queryOf: ({ actors, filePath }, actor) => signedFor(actor ?? actors.owner, `${filePath}x`),
    answers: { ...byMembers, anonymous: notValid },
  }),
  ...anyRoute({
    about: 'by a link of oneself that has expired',
    queryOf: ({ actors, filePath }, actor) => signedFor(actor ?? actors.owner, filePath, oldLinks),
    answers: { ...byMembers, anonymous: expired },
  }),
  ...anyRoute({
    about: 'by half a link',
    queryOf: ({ actors }, actor) => `u=${(actor ?? actors.owner).id}`,
    answers: { ...byMembers, anonymous: noToken },
  }),
  {
    route: 'POST /api/v1/media/links',
    body: ({ filePath }) => ({ paths: [filePath] }),
    answers: signedIn(ok),
  },
]
