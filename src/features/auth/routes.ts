import { Elysia, t } from 'elysia'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from './guard.ts'
import { Done, Login, Refresh, Refreshed, Register, SessionList, SignedIn, saying } from './model.ts'
import type { Auth } from './service.ts'

export function createAuthRoutes({ auth, guard }: { auth: Auth; guard: Guard }) {
  return new Elysia({ prefix: '/auth', detail: { tags: ['Authentication'] } })
    .use(guard)
    .post(
      '/register',
      ({ body, client, status }) => auth.register(body, client).then((signedIn) => status(201, signedIn)),
      {
        anonymous: true,
        body: Register,
        response: { 201: SignedIn, ...failures(400, 401, 403, 409, 413, 429) },
        detail: {
          summary: 'Make an account',
          description: 'Signs the new account in. Answers 400 and 409 name every faulty or taken field at once.',
        },
      },
    )
    .post('/login', ({ body, client }) => auth.login(body, client), {
      anonymous: true,
      body: Login,
      response: { 200: SignedIn, ...failures(400, 401, 403, 413, 429) },
      detail: {
        summary: 'Sign in',
        description: 'By phone or e-mail. 5 attempts at an account in 15 minutes; then 429 with `retry_after` seconds.',
      },
    })
    .post('/refresh', ({ body }) => auth.refresh(body.refresh_token), {
      anonymous: true,
      body: Refresh,
      response: { 200: Refreshed, ...failures(400, 401, 413, 429) },
      detail: {
        summary: 'Get a new access token',
        description:
          'Store the `refresh_token` of the answer and use it next time. The one sent stays good until its successor is ' +
          'first used: repeating a request is safe. Sending one after that ends the session.',
      },
    })
    .post(
      '/logout',
      ({ userId, sessionId, client }) => saying('Logged out successfully', auth.logout(userId, sessionId, client)),
      {
        signedIn: true,
        response: { 200: Done('Logged out successfully'), ...failures(401, 429) },
        detail: { summary: 'Sign out', description: 'Ends this session: its tokens and its sockets.' },
      },
    )
    .get('/sessions', ({ userId, sessionId }) => auth.listSessions(userId, sessionId), {
      signedIn: true,
      response: { 200: SessionList, ...failures(401, 429) },
      detail: { summary: 'Where I am signed in', description: 'The latest used first.' },
    })
    .delete(
      '/sessions',
      ({ userId, sessionId, client }) =>
        saying('All other sessions ended', auth.endOtherSessions(userId, sessionId, client)),
      {
        signedIn: true,
        response: { 200: Done('All other sessions ended'), ...failures(401, 429) },
        detail: { summary: 'Sign out everywhere else', description: 'All sessions but this one end.' },
      },
    )
    .delete(
      '/sessions/:id',
      ({ userId, params, client }) => saying('Session ended', auth.endSession(userId, params.id, client)),
      {
        signedIn: true,
        params: t.Object({ id: Uuid }),
        response: { 200: Done('Session ended'), ...failures(400, 401, 404, 429) },
        detail: { summary: 'End one of my sessions', description: 'This one too: that is signing out.' },
      },
    )
}
