/** The port for pictures of people, groups and channels: their services know them by their URLs alone. */
export interface Avatars {
  /**
   * Makes a picture of what was given, and puts it in the place of another. The one that it replaces goes after `write`;
   * the new one goes when that fails.
   * @param given a `data:` URL or plain base64, or the path or URL of an image that the user has sent before; null for none;
   *   undefined, or the URL that it has now, to leave it as it is
   * @param findCurrent its URL now
   * @param write stores the URL (undefined: nothing of it), and tells which one it has replaced
   * @throws AppError 400 naming `avatar`, 415 for what is no image, 429 (it counts as an upload), 503; StorageFull
   */
  exchange<T>(
    userId: string,
    given: string | null | undefined,
    findCurrent: () => Promise<string | null>,
    write: (avatarUrl: string | null | undefined) => Promise<{ done: T; replaced: string | null }>,
  ): Promise<T>
  /** Nobody has it any more: after the commit. What cannot be removed now is left to the clean-up. */
  drop(avatarUrl: string | null | undefined): Promise<void>
}
