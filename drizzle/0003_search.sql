CREATE TABLE "message_search" (
	"chat_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"message_id" uuid NOT NULL,
	"rev" bigint NOT NULL,
	"tokens" "tsvector" NOT NULL,
	CONSTRAINT "message_search_chat_id_created_at_message_id_pk" PRIMARY KEY("chat_id","created_at","message_id")
);
--> statement-breakpoint
CREATE TABLE "search_heads" (
	"chat_id" uuid PRIMARY KEY NOT NULL,
	"seq" bigint DEFAULT 0 NOT NULL,
	"rev" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "search_words" (
	"word" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
ALTER TABLE "message_search" ADD CONSTRAINT "message_search_chat_id_search_heads_chat_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."search_heads"("chat_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "search_heads" ADD CONSTRAINT "search_heads_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."chats"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idx_message_search_tokens" ON "message_search" USING gin ("tokens") WITH (fastupdate=false);--> statement-breakpoint
CREATE INDEX "idx_search_words_trigrams" ON "search_words" USING gin ("word" gin_trgm_ops) WITH (fastupdate=false);--> statement-breakpoint
-- Each round of indexing updates heads: room on the page keeps these updates heap-only.
ALTER TABLE "search_heads" SET (fillfactor = 50);
