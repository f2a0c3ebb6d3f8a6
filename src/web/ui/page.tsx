import type { ComponentChildren } from 'preact'
import { t } from '../i18n/language.ts'
import { goBack } from '../state/route.ts'
import { IconButton } from './button.tsx'

interface PageProps {
  title: string
  /** Where "back" leads for whoever came here directly. */
  parent?: readonly string[]
  actions?: ComponentChildren
  footer?: ComponentChildren
  children: ComponentChildren
}

/** A page of the side pane: its title, a way back, its content. */
export function Page({ title, parent = [], actions, footer, children }: PageProps) {
  return (
    <>
      <header class="header">
        <IconButton icon="back" label={t().back} onClick={() => goBack({ page: parent })} />
        <h1>{title}</h1>
        {actions}
      </header>
      <div class="scroll">{children}</div>
      {footer && <div class="footer-bar">{footer}</div>}
    </>
  )
}
