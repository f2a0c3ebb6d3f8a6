/** The whole server on one screen: the routes on top of the services, and the jobs beside them. */
import { Elysia, type InternalRoute } from 'elysia'
import { createAccountRoutes } from './features/auth/account-routes.ts'
import { createAuthRoutes } from './features/auth/routes.ts'
import { callRoutes } from './features/calls/routes.ts'
import { channelRoutes } from './features/channels/routes.ts'
import { inviteRoutes } from './features/chats/invites-routes.ts'
import { chatRoutes } from './features/chats/routes.ts'
import { avatarRoutes } from './features/media/avatar-routes.ts'
import { deliveryRoutes } from './features/media/delivery-routes.ts'
import { messageRoutes } from './features/messages/routes.ts'
import { searchRoutes } from './features/messages/search-routes.ts'
import { subscriptionRoutes } from './features/subscriptions/routes.ts'
import { syncRoutes } from './features/sync/routes.ts'
import { piecewiseRoutes } from './features/uploads/piecewise-routes.ts'
import { uploadRoutes } from './features/uploads/routes.ts'
import { createAuditRoutes } from './features/users/audit-routes.ts'
import { createBlockRoutes } from './features/users/blocks-routes.ts'
import { createUserRoutes } from './features/users/routes.ts'
import { crossOrigin } from './http/cors.ts'
import { docs } from './http/docs.ts'
import { healthRoutes, type Probe } from './http/health.ts'
import { metricsRoutes } from './http/metrics.ts'
import { createPlumbing } from './http/plumbing.ts'
import { web } from './http/web.ts'
import { listJobs } from './jobs/jobs.ts'
import { startJobs } from './jobs/scheduler.ts'
import { socketRoutes } from './realtime/routes.ts'
import { createServices, type ServicesOptions } from './services.ts'

export interface AppOptions extends ServicesOptions {
  /** Parts that the server can serve without; its health tells of them. */
  probes: Record<string, Probe>
  /** Whether this instance runs the jobs. */
  isRunner(): boolean
}

export type App = ReturnType<typeof createApp>

export function createApp(options: AppOptions) {
  const { config, database, writerDatabase, storage, isRunner, log } = options
  const services = createServices(options)
  const { guard, auth, accounts, users, blocks, audit, avatars, subscriptions, purchases } = services
  const { chats, members, reads, invites, channels, messages, search, sync, delivery, uploads, piecewise } = services
  const { ice, gateway, origins, metrics } = services

  const probes = { database: () => database.sql`select 1`, writer: () => writerDatabase.sql`select 1` }
  const api = new Elysia({ prefix: '/api/v1' })
    .use(createAuthRoutes({ auth, guard }))
    .use(createAccountRoutes({ accounts, guard }))
    .use(createUserRoutes({ users, guard }))
    .use(createBlockRoutes({ blocks, guard }))
    .use(createAuditRoutes({ audit, guard }))
    .use(subscriptionRoutes({ guard, subscriptions, purchases }))
    .use(chatRoutes({ guard, chats, members, reads }))
    .use(inviteRoutes({ guard, invites }))
    .use(channelRoutes({ guard, channels }))
    .use(messageRoutes({ guard, messages }))
    .use(avatarRoutes({ avatars }))
    .use(deliveryRoutes({ guard, delivery, resourcePolicy: origins.resourcePolicy }))
    .use(uploadRoutes({ guard, uploads }))
    .use(piecewiseRoutes({ guard, piecewise }))
    .use(searchRoutes({ guard, search }))
    .use(syncRoutes({ guard, sync }))
    .use(callRoutes({ guard, ice }))
    .use(socketRoutes(gateway))
  const http = new Elysia()
    .use(createPlumbing(log, metrics))
    .use(crossOrigin(origins.cors))
    .use(
      healthRoutes({
        probes,
        optional: { ...options.probes, storage: storage.check },
        missing: services.hasFilms ? [] : ['ffmpeg'],
        isLeaving: gateway.isLeaving,
        log,
      }),
    )
    .use(metricsRoutes({ metrics, token: config.METRICS_TOKEN }))
    .use(docs((): InternalRoute[] => http.routes))
    .use(web(log))
    .use(socketRoutes(gateway))
    .use(api)

  const stopJobs = startJobs({ isRunner, log, jobs: listJobs(services) })

  return {
    http,
    /** For whoever does without a door what people do. */
    services,
    fanout: services.fanout,
    gateway,
    users,
    accounts,
    avatars,
    /** Stores what waits in memory: after the last request, before the database goes. */
    async settle(): Promise<void> {
      await services.transcoding.stop()
      await services.calls.settle()
      await services.writer.drained()
      await reads.flush()
      await services.lastSeen.stop()
      await services.searchIndexer.stop()
    },
    /** Ends every timer. */
    stop(): void {
      stopJobs()
      services.images.close()
      services.searchIndexer.stop()
      gateway.stop()
      services.presence.close()
      services.calls.stop()
    },
  }
}
