/** Beginning something: a direct chat, a group, a channel. */
import { type Signal, useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { createForm, type Form } from '../../state/failures.ts'
import { openChat, openDm } from '../../state/opening.ts'
import { go } from '../../state/route.ts'
import type { PublicProfile } from '../../sync/wire.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { PeopleChoice, PeopleList, UserLine } from './people-picker.tsx'

const MAX_NAME = 255
const MAX_DESCRIPTION = 500

export function NewChatPage() {
  return (
    <Page title={t().newChat}>
      <PeopleList
        hasFocus
        row={(user) => (
          <button type="button" class="row" onClick={() => openDm(user.id)}>
            <UserLine user={user} />
          </button>
        )}
      >
        <div class="list-actions">
          <button type="button" class="row" onClick={() => go({ page: ['new', 'group'] })}>
            <Icon name="users" size={24} />
            {t().newGroup}
          </button>
          <button type="button" class="row" onClick={() => go({ page: ['new', 'channel'] })}>
            <Icon name="channel" size={24} />
            {t().newChannel}
          </button>
        </div>
      </PeopleList>
    </Page>
  )
}

export function NewGroupPage() {
  const name = useSignal('')
  const chosen = useSignal<PublicProfile[]>([])
  const form = useMemo(() => createForm(['name']), [])
  const create = () =>
    form.submit(
      async () => {
        const group = await client.api.createGroup({
          name: name.value.trim(),
          member_ids: chosen.value.map(({ id }) => id),
        })
        openChat(group.id)
      },
      { name: name.value },
    )
  return (
    <Page
      title={t().newGroup}
      parent={['new']}
      footer={
        <Button kind="primary" isWide isBusy={form.isBusy.value} onClick={create}>
          {t().create}
        </Button>
      }
    >
      <form
        class="page form"
        onSubmit={(event) => {
          event.preventDefault()
          create()
        }}
      >
        <NameField label={t().groupName} name={name} form={form} />
        {form.trouble.value && <p class="field-error">{form.trouble.value}</p>}
      </form>
      <h2 class="section-title">
        {t().addMembers}
        {chosen.value.length > 0 && ` · ${t().chosen(chosen.value.length)}`}
      </h2>
      <PeopleChoice chosen={chosen} />
    </Page>
  )
}

function NameField({ label, name, form }: { label: string; name: Signal<string>; form: Form }) {
  return (
    <Field
      hasFocus
      label={label}
      value={name.value}
      maxLength={MAX_NAME}
      error={form.faults.value.name}
      onInput={(text) => {
        name.value = text
        form.forget('name')
      }}
    />
  )
}

export function NewChannelPage() {
  const name = useSignal('')
  const description = useSignal('')
  const isPublic = useSignal(true)
  const form = useMemo(() => createForm(['name', 'description']), [])
  const create = () =>
    form.submit(
      async () => {
        const channel = await client.api.createChannel({
          name: name.value.trim(),
          description: description.value.trim() || null,
          is_public: isPublic.value,
        })
        openChat(channel.id)
      },
      { name: name.value },
    )
  return (
    <Page title={t().newChannel} parent={['new']}>
      <form
        class="page form"
        onSubmit={(event) => {
          event.preventDefault()
          create()
        }}
      >
        <NameField label={t().channelName} name={name} form={form} />
        <Field
          isLong
          label={t().descriptionOptional}
          value={description.value}
          maxLength={MAX_DESCRIPTION}
          error={form.faults.value.description}
          onInput={(text) => {
            description.value = text
            form.forget('description')
          }}
        />
        <label class="switch">
          {t().publicChannel}
          <input
            type="checkbox"
            role="switch"
            aria-checked={isPublic.value}
            checked={isPublic.value}
            onChange={(event) => {
              isPublic.value = event.currentTarget.checked
            }}
          />
        </label>
        {form.trouble.value && <p class="field-error">{form.trouble.value}</p>}
        <Button kind="primary" type="submit" isWide isBusy={form.isBusy.value}>
          {t().create}
        </Button>
      </form>
    </Page>
  )
}
