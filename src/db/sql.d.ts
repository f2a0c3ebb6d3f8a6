// A migration: an import gives its text.
declare module '*.sql' {
  const text: string
  export default text
}
