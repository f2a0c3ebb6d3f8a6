/** All jobs, and how often each is done. */
import type { Job } from './scheduler.ts'

interface Sweeper {
  sweep(): Promise<unknown>
}

/** The services that have something to do now and then. */
export interface Workers {
  sessions: Sweeper
  attempts: Sweeper
  invites: Sweeper
  work: Sweeper
  retention: { clear(): Promise<unknown> }
  piecewise: Sweeper
  transcoding: { run(): Promise<unknown> }
  searchIndexer: { catchUp(): Promise<unknown> }
  presence: { sweepDead(): Promise<unknown> }
  subscriptions: { expire(): Promise<unknown> }
  calls: { endOverdue(): Promise<unknown>; tidy(): Promise<unknown> }
}

export const listJobs = (of: Workers): Job[] => [
  { name: 'forget ended sessions', everySeconds: 3600, run: of.sessions.sweep },
  { name: 'forget old attempts', everySeconds: 3600, run: of.attempts.sweep },
  { name: 'forget expired invites', everySeconds: 3600, run: of.invites.sweep },
  { name: 'clear up unfinished files', everySeconds: 3600, run: () => of.work.sweep(), isLocal: true },
  { name: 'clear files away that nobody needs', everySeconds: 86_400, run: () => of.retention.clear() },
  { name: 'clear up uploads that were given up', everySeconds: 3600, run: of.piecewise.sweep },
  { name: 'make videos that were left', everySeconds: 60, run: of.transcoding.run },
  { name: 'index what search missed', everySeconds: 60, run: of.searchIndexer.catchUp },
  { name: 'tell of those who were on dead instances', everySeconds: 15, run: of.presence.sweepDead },
  { name: 'end overdue calls', everySeconds: 1, run: of.calls.endOverdue },
  { name: 'store what calls became', everySeconds: 10, run: of.calls.tidy },
  { name: 'close lapsed subscriptions', everySeconds: 600, run: of.subscriptions.expire },
]
