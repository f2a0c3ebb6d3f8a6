// Files that are served as they are: an import gives the path.
declare module 'swagger-ui-dist/*' {
  const path: string
  export default path
}
