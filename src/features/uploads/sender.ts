/** Files that have arrived become messages: kept first, then posted; what no message tells of is removed at once. */
import { AppError } from '../../errors.ts'
import type { Keeper, Kept } from '../media/keeper.ts'
import type { Arrived, MakeOptions } from '../media/making.ts'
import type { Message } from '../messages/model.ts'
import type { Messages } from '../messages/service.ts'

/** One file, and the message that it is to be. */
export interface FileToSend {
  arrived: Arrived
  id: string
  chatId: string
  senderId: string
  content: string
  clientId: string
  replyToId: string | null
}

export type Sender = ReturnType<typeof createSender>

export interface SenderDeps {
  keeper: Keeper
  messages: Pick<Messages, 'postAll'>
  /** Told when there are messages whose files are still to be made. */
  onUnmade(): void
}

export function createSender({ keeper, messages, onUnmade }: SenderDeps) {
  /** All or none. */
  async function keepAll(files: readonly FileToSend[], tier: MakeOptions): Promise<Kept[]> {
    const kept: Kept[] = []
    try {
      for (const { arrived, id, chatId, senderId } of files) {
        kept.push(await keeper.keep(arrived, { chatId, messageId: id, ownerId: senderId, tier }))
      }
      return kept
    } catch (error) {
      await dropAll(kept)
      throw error
    }
  }

  return {
    /**
     * The messages of the files, in their order; repeats among them are answered with the first message.
     * @throws AppError 404, 403 for who may not post, 400 for a reply to nothing or a file that cannot be made, 503
     */
    async send(files: readonly FileToSend[], tier: MakeOptions): Promise<Message[]> {
      const kept = await keepAll(files, tier)
      const drafts = files.map(({ arrived: _, ...draft }, index) => ({
        ...draft,
        attachment: attachmentOf(kept[index]),
      }))
      const outcomes = await messages.postAll(drafts).catch(async (error) => {
        await dropAll(kept)
        throw error
      })
      await dropAll(kept.filter((_, index) => isInVain(outcomes[index])))
      if (kept.some(({ attachment }) => attachment.media.status === 'processing')) onUnmade()
      return outcomes.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value.message
      })
    },
  }
}

/**
 * Whether certainly no message tells of the file. After a failure of the database one may: then the file stays, and the
 * clean-up looks for the message later.
 */
function isInVain(outcome: Awaited<ReturnType<Messages['postAll']>>[number] | undefined): boolean {
  if (outcome?.status === 'fulfilled') return outcome.value.isRepeat
  return outcome?.reason instanceof AppError && outcome.reason.status < 500
}

function attachmentOf(kept: Kept | undefined): Kept['attachment'] {
  if (!kept) throw new Error('A file was lost on its way')
  return kept.attachment
}

async function dropAll(kept: readonly Kept[]): Promise<void> {
  for (const one of kept) await one.drop()
}
