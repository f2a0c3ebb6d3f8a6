import type { ComponentChildren } from 'preact'
import { t } from '../i18n/language.ts'
import { Icon, type IconName } from './icon.tsx'

/** Nothing is here: one picture, one sentence, one thing to do. */
export function Empty({ icon, text, children }: { icon: IconName; text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={44} />
      <p dir="auto">{text}</p>
      {children}
    </div>
  )
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="spinner" />
      <span class="sr">{t().loading}</span>
    </div>
  )
}
