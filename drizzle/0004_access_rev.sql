ALTER TABLE "chats" ADD COLUMN "access_rev" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payment_logs" ADD COLUMN "start_date" date;--> statement-breakpoint
ALTER TABLE "payment_logs" ADD COLUMN "end_date" date;