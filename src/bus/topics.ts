/** What one can listen to. */
export type Topic = `chat:${string}` | `user:${string}` | 'instances'

/** Everybody in a chat. */
export const chatTopic = (chatId: string): Topic => `chat:${chatId}`
/** Every socket of a user. */
export const userTopic = (userId: string): Topic => `user:${userId}`
/** Every instance: what each must know even without a socket of the user, such as an ended session. */
export const instancesTopic: Topic = 'instances'

/** Where the id begins in the topic of a chat, and of a user. */
export const CHAT_ID_AT = 'chat:'.length
export const USER_ID_AT = 'user:'.length
export const isOfChat = (topic: Topic): boolean => topic.startsWith('chat:')
export const isOfUser = (topic: Topic): boolean => topic.startsWith('user:')
