import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { useAsked } from '../../state/asked.ts'
import { client } from '../../state/client.ts'
import { attempt, createForm } from '../../state/failures.ts'
import { avatarOfChat, nameOfChat } from '../../state/names.ts'
import { go } from '../../state/route.ts'
import type { ChatOverview } from '../../sync/wire.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { ask, Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { PictureButtons } from '../media/picture-buttons.tsx'
import { Invites } from './invites.tsx'
import { Members } from './members.tsx'

/** A group or a channel: its name, its links, its people, the way out. */
export function GroupInfo({ row }: { row: ChatOverview }) {
  const isChannel = row.type === 'channel'
  const isStaff = row.role !== 'member'
  const channel = useAsked(async () => (isChannel ? client.api.channel(row.id) : undefined), `${row.id} ${row.name}`)
  const isRenaming = useSignal(false)
  const name = nameOfChat(row)
  const gone = () => go({ chat: undefined, page: [] }, { replace: true })
  const leave = async () => {
    if (!(await ask(t().leaveAsk(name), isChannel ? t().unsubscribe : t().leave))) return
    const me = client.state.session.userId
    const isLeft = await attempt(() =>
      isChannel ? client.api.unsubscribe(row.id) : client.api.removeMember(row.id, me),
    )
    if (isLeft) gone()
  }
  const remove = async () => {
    if ((await ask(t().deleteChatAsk(name), t().deleteChat)) && (await attempt(() => client.api.deleteChat(row.id))))
      gone()
  }
  return (
    <>
      <div class="profile-head">
        <Avatar {...avatarOfChat(row)} size={96} />
        <h2 dir="auto">{name}</h2>
        <p>{isChannel ? t().subscribers(row.member_count) : t().members(row.member_count)}</p>
        {isStaff && (
          <PictureButtons
            hasPicture={row.avatar_url !== null}
            isSquare={isChannel}
            onPick={(avatar) => client.api.setChatAvatar(row.id, avatar)}
          />
        )}
        {isStaff && (
          <Button kind="quiet" isSmall icon="compose" onClick={() => (isRenaming.value = true)}>
            {t().edit}
          </Button>
        )}
      </div>
      {channel.value?.description && (
        <dl class="facts">
          <div>
            <dt>{t().description}</dt>
            <dd dir="auto">{channel.value.description}</dd>
          </div>
        </dl>
      )}
      {isStaff && <Invites chatId={row.id} />}
      {(!isChannel || isStaff) && <Members row={row} />}
      <div class="page stack">
        {row.role !== 'owner' && (
          <Button kind="danger" icon="out" onClick={leave}>
            {isChannel ? t().unsubscribe : t().leave}
          </Button>
        )}
        {row.role === 'owner' && (
          <Button kind="danger" icon="trash" onClick={remove}>
            {t().deleteChat}
          </Button>
        )}
      </div>
      {isRenaming.value && (
        <EditDialog
          row={row}
          description={isChannel ? (channel.value?.description ?? '') : undefined}
          onClose={() => {
            isRenaming.value = false
            channel.refresh()
          }}
        />
      )}
    </>
  )
}

interface EditDialogProps {
  row: ChatOverview
  /** undefined where there is none to have. */
  description: string | undefined
  onClose(): void
}

function EditDialog({ row, description, onClose }: EditDialogProps) {
  const name = useSignal(row.name ?? '')
  const about = useSignal(description ?? '')
  const form = useMemo(() => createForm(['name', 'description']), [])
  const save = async () => {
    const isSaved = await form.submit(
      () =>
        description === undefined
          ? client.api.renameChat(row.id, name.value.trim())
          : client.api.updateChannel(row.id, { name: name.value.trim(), description: about.value.trim() || null }),
      { name: name.value },
    )
    if (isSaved) onClose()
  }
  return (
    <Dialog
      title={t().edit}
      onClose={onClose}
      onSubmit={save}
      actions={
        <>
          <Button kind="quiet" onClick={onClose}>
            {t().cancel}
          </Button>
          <Button kind="primary" type="submit" isBusy={form.isBusy.value}>
            {t().save}
          </Button>
        </>
      }
    >
      <Field
        hasFocus
        label={row.type === 'channel' ? t().channelName : t().groupName}
        value={name.value}
        maxLength={255}
        error={form.faults.value.name}
        onInput={(text) => {
          name.value = text
        }}
      />
      {description !== undefined && (
        <Field
          isLong
          label={t().description}
          value={about.value}
          maxLength={500}
          error={form.faults.value.description}
          onInput={(text) => {
            about.value = text
          }}
        />
      )}
      {form.trouble.value && <p class="field-error">{form.trouble.value}</p>}
    </Dialog>
  )
}
