CREATE TYPE "public"."media_kind" AS ENUM('image', 'video', 'audio', 'file');--> statement-breakpoint
ALTER TYPE "public"."message_type" ADD VALUE 'call';--> statement-breakpoint
CREATE TABLE "media" (
	"id" uuid PRIMARY KEY NOT NULL,
	"chat_id" uuid NOT NULL,
	"message_id" uuid NOT NULL,
	"owner_id" uuid NOT NULL,
	"kind" "media_kind" NOT NULL,
	"name" text NOT NULL,
	"file_path" text NOT NULL,
	"thumbnail_path" text,
	"original_path" text,
	"file_name" varchar(255) NOT NULL,
	"mime_type" text NOT NULL,
	"file_size" bigint NOT NULL,
	"sha256" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"claimed_until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"released_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "avatar_url" text;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "media" jsonb;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "call" jsonb;--> statement-breakpoint
ALTER TABLE "media" ADD CONSTRAINT "media_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "idx_media_name" ON "media" USING btree ("name");--> statement-breakpoint
CREATE INDEX "idx_media_message" ON "media" USING btree ("chat_id","message_id");--> statement-breakpoint
CREATE INDEX "idx_media_unmade" ON "media" USING btree ("created_at") WHERE original_path is not null and released_at is null;--> statement-breakpoint
CREATE INDEX "idx_media_released" ON "media" USING btree ("released_at") WHERE released_at is not null;