/** The parts of uploads, wired: by a form and in pieces, through the same admission to the same sender. */
import { createKeeper, type KeeperDeps } from '../media/keeper.ts'
import type { Work } from '../media/work.ts'
import type { Messages } from '../messages/service.ts'
import { type AdmissionDeps, createAdmission } from './admission.ts'
import { createPiecewiseUploads } from './piecewise.ts'
import { createSender, type SenderDeps } from './sender.ts'
import { createUploads } from './service.ts'
import { createSlots } from './slots.ts'

export type UploadWiringDeps = KeeperDeps &
  Pick<AdmissionDeps, 'limiter' | 'isLimited' | 'tierOf'> &
  Pick<SenderDeps, 'onUnmade'> & { work: Work; messages: Messages }

export function wireUploads(deps: UploadWiringDeps) {
  const { messages } = deps
  const { findSent, findVisible } = messages
  const admission = createAdmission({ ...deps, findSent })
  const slots = createSlots({ perUser: 4, total: 64 })
  const sender = createSender({ ...deps, keeper: createKeeper(deps) })
  const uploads = createUploads({ ...deps, admission, slots, sender, findSent })
  const piecewise = createPiecewiseUploads({ ...deps, admission, slots, sender, findVisible })
  return { admission, uploads, piecewise }
}
