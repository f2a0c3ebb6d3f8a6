/** What one can listen to. */
export type Topic = `chat:${string}` | `user:${string}` | 'instances'

/** Everybody in a chat. */
export const chatTopic = (chatId: string): Topic => `chat:${chatId}`
/** Every socket of a user. */
export const userTopic = (userId: string): Topic => `user:${userId}`
/** Every instance: what each must know even without a socket of the user, such as an ended session. */
export const instancesTopic: Topic = 'instances'

/** Which of them it is, and of which chat or user; no `id` where there is but one. */
export function readTopic(topic: Topic): { kind: string; id: string } {
  const end = topic.indexOf(':')
  return end < 0 ? { kind: topic, id: '' } : { kind: topic.slice(0, end), id: topic.slice(end + 1) }
}
