-- Every message updates its chat's row, every read mark a member's: room on the page keeps these updates heap-only.
ALTER TABLE "chats" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "chat_members" SET (fillfactor = 50);
