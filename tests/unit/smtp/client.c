/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtp/client.c - the client session as dialogues.
 *
 * A row is the server's bytes, and the trace of what the client did with them:
 * what it sent in <>, events by name, verdicts as command:index=code. The same
 * bytes one at a time must give the same trace. */
#include "smtp/client.h"

#include <stdio.h>

#include "tests/unit/suite.h"

/* What the server says: greeting and reply to EHLO, and three times yes. */
#define E_FULL	"250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n" \
		"250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
#define E_CHUNK	"250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
#define S_PLAIN	"220 mx\r\n250 mx\r\n"
#define S_FULL	"220 mx\r\n" E_FULL
#define S_CHUNK	"220 mx\r\n" E_CHUNK
#define S_TLS	"220 mx\r\n250-mx\r\n250 STARTTLS\r\n"
#define OK3	"250 ok\r\n250 ok\r\n250 ok\r\n"

/* And what we do: up to the transaction, its commands, and the end. */
#define T_HI	"<EHLO me\r\n>"
#define T_READY	T_HI "ready "
#define T_TLS	T_HI "<STARTTLS\r\n>"
#define T_MAIL	"<MAIL FROM:<s@x>\r\n>"
#define T_RCPT_A "<RCPT TO:<a@y>\r\n>"
#define T_RCPT_B "<RCPT TO:<b@y>\r\n>"
#define T_TX	"<MAIL FROM:<s@x> SIZE=5\r\nRCPT TO:<a@y>\r\n" \
		"RCPT TO:<b@y>\r\nDATA\r\n>"
#define T_FULL	T_READY T_TX
#define T_CHUNK	"<MAIL FROM:<s@x>\r\nRCPT TO:<a@y>\r\nRCPT TO:<b@y>\r\n>"
#define T_CHUNKS "<BDAT 5\r\nBDAT 5\r\nBDAT 5 LAST\r\n>"
#define T_QUIT	"<QUIT\r\n>close(quit,idle)"

static const struct row {
	const char	*rfc, *name, *server, *trace;
	bool		 no_tls, big, probe, lmtp, chunks;
	unsigned	 flags;
	unsigned	 messages;	/* 0: one */
} rows[] = {
	{ .rfc = "5321 3.3",
	  .name = "a message, lockstep",
	  .server = S_PLAIN OK3 "354 go\r\n250 2.0.0 queued\r\n",
	  .trace = T_READY T_MAIL T_RCPT_A T_RCPT_B "<DATA\r\n>body "
	    "final dot:all=250 done " T_QUIT },
	{ .rfc = "2920 3.1",
	  .name = "one write",
	  .server = S_FULL OK3 "354 go\r\n250 2.0.0 queued\r\n",
	  .trace = T_FULL "body final dot:all=250 done " T_QUIT },
	{ .rfc = "3207 4.2",
	  .name = "EHLO again, capabilities anew",
	  .server = "220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
	    "220 go\r\n!250 mx\r\n" OK3 "354 go\r\n250 ok\r\n",
	  .trace = T_TLS "tls " T_READY T_MAIL T_RCPT_A T_RCPT_B "<DATA\r\n>"
	    "body final dot:all=250 done " T_QUIT },
	{ .rfc = "3207 4.2",
	  .name = "no second STARTTLS inside TLS",
	  .server = S_TLS "220 go\r\n!250-mx\r\n250 STARTTLS\r\n421 bye\r\n",
	  .trace = T_TLS "tls " T_READY T_MAIL "close(reply,MAIL)421" },
	{ .rfc = "own bound",
	  .name = "not asked for, so not used", .no_tls = true,
	  .server = S_TLS "421 bye\r\n",
	  .trace = T_READY T_MAIL "close(reply,MAIL)421" },
	{ .rfc = "3207 4",
	  .name = "454",
	  .server = S_TLS "454 4.7.0 no\r\n",
	  .trace = T_TLS "<QUIT\r\n>close(refused,STARTTLS)454" },
	{ .rfc = "3207 6",
	  .name = "mangled: asked for all the same",
	  .server = "220 mx\r\n250-mx\r\n250 XXXXXXXA\r\n500 what\r\n",
	  .trace = T_TLS "<QUIT\r\n>close(refused,STARTTLS)500" },
	{ .rfc = "3207 4.2",
	  .name = "CVE-2021-38371: a reply behind the 220",
	  .server = S_TLS "+220 go\r\n250-evil\r\n250 SIZE 1\r\n",
	  .trace = T_TLS "close(injection,STARTTLS)220" },
	{ .rfc = "3207 4.2",
	  .name = "the start of a reply behind the 220",
	  .server = S_TLS "+220 go\r\n2",
	  .trace = T_TLS "close(injection,STARTTLS)220" },
	{ .rfc = "3207 4",
	  .name = "the 220 ahead of STARTTLS",
	  .server = "220 mx\r\n+250-mx\r\n250 STARTTLS\r\n220 go\r\n",
	  .trace = T_HI "close(injection,EHLO)250" },
	{ .rfc = "5321 4.3.1",
	  .name = "an EHLO reply ahead of EHLO",
	  .server = "+" S_PLAIN,
	  .trace = "close(injection,greeting)220" },
	{ .rfc = "5321 4.3.1",
	  .name = "greets twice, mail in clear is possible", .no_tls = true,
	  .server = "220 mx\r\n220 again\r\n421 x\r\n",
	  .trace = T_READY T_MAIL "close(reply,MAIL)421" },
	{ .rfc = "5321 3.2",
	  .name = "HELO",
	  .server = "220 mx\r\n500 what\r\n250 mx\r\n421 x\r\n",
	  .trace = T_HI "<HELO me\r\n>ready " T_MAIL "close(reply,MAIL)421" },
	{ .rfc = "5321 4.1.4",
	  .name = "HELO refused too",
	  .server = "220 mx\r\n502 what\r\n550 no\r\n",
	  .trace = T_HI "<HELO me\r\n><QUIT\r\n>close(reply,HELO)550" },
	{ .rfc = "5321 4.2.1",
	  .name = "EHLO 4xx",
	  .server = "220 mx\r\n450 later\r\n",
	  .trace = T_HI "<QUIT\r\n>close(reply,EHLO)450" },
	{ .rfc = "5321 3.1",
	  .name = "554 greeting",
	  .server = "554 no\r\n",
	  .trace = "<QUIT\r\n>close(reply,greeting)554" },
	{ .rfc = "5321 3.8",
	  .name = "421 greeting",
	  .server = "421 busy\r\n",
	  .trace = "close(reply,greeting)421" },
	{ .rfc = "5321 4.3.2",
	  .name = "3xx greeting",
	  .server = "354 what\r\n",
	  .trace = "close(protocol,greeting)354" },
	{ .rfc = "5321 4.2",
	  .name = "garbage",
	  .server = "SSH-2.0\r\n",
	  .trace = "close(protocol,greeting)0" },
	{ .rfc = "2920 3.1",
	  .name = "MAIL refused, pipelined: the rest is read and not believed",
	  .server = S_FULL "550 5.7.1 no\r\n503 x\r\n503 x\r\n503 x\r\n",
	  .trace = T_FULL "MAIL:all=550 done " T_QUIT },
	{ .rfc = "2920 3.1",
	  .name = "MAIL refused, RCPT taken, 354: nothing is sent to anybody",
	  .server = S_FULL "550 no\r\n250 x\r\n250 x\r\n354 x\r\n",
	  .trace = T_FULL "MAIL:all=550 close(protocol,DATA)354" },
	{ .rfc = "5321 3.3",
	  .name = "MAIL refused, lockstep",
	  .server = S_PLAIN "451 no\r\n",
	  .trace = T_READY T_MAIL "MAIL:all=451 done " T_QUIT },
	{ .rfc = "5321 3.3",
	  .name = "one recipient refused",
	  .server = S_FULL "250 ok\r\n550 5.1.1 no\r\n251 ok\r\n354 go\r\n"
	    "250 ok\r\n",
	  .trace = T_FULL "RCPT:0=550 body final dot:all=250 done " T_QUIT },
	{ .rfc = "2920 3.1",
	  .name = "all refused, 354, lone dot",
	  .server = S_FULL "250 ok\r\n550 no\r\n450 no\r\n354 go\r\n"
	    "554 nobody\r\n",
	  .trace = T_FULL "RCPT:0=550 RCPT:1=450 <.\r\n>done " T_QUIT },
	{ .rfc = "5321 4.1.4",
	  .name = "all refused, DATA refused; RSET before the next",
	  .messages = 2,
	  .server = S_FULL "250 ok\r\n550 no\r\n450 no\r\n503 no\r\n"
	    "250 reset\r\n" OK3 "354 x\r\n250 ok\r\n",
	  .trace = T_FULL "RCPT:0=550 RCPT:1=450 done <RSET\r\n"
	    "MAIL FROM:<s@x> SIZE=5\r\nRCPT TO:<a@y>\r\nRCPT TO:<b@y>\r\n"
	    "DATA\r\n>body final dot:all=250 done " T_QUIT },
	{ .rfc = "5321 4.1.4",
	  .name = "the same in lockstep: RSET is waited for", .messages = 2,
	  .server = S_PLAIN "250 ok\r\n550 no\r\n450 no\r\n250 reset\r\n"
	    "550 no\r\n",
	  .trace = T_READY T_MAIL T_RCPT_A "RCPT:0=550 " T_RCPT_B
	    "RCPT:1=450 done <RSET\r\n>" T_MAIL "MAIL:all=550 done " T_QUIT },
	{ .rfc = "5321 4.1.1.5",
	  .name = "a probe: every RCPT is told, nothing is sent; RSET comes with "
	    "what follows", .probe = true, .big = true, .messages = 2,
	  .server = S_FULL "250 ok\r\n250 ok\r\n550 no\r\n250 reset\r\n"
	    "250 ok\r\n550 no\r\n550 no\r\n",
	  .trace = T_READY T_CHUNK "RCPT:0=250 RCPT:1=550 done <RSET\r\n"
	    "MAIL FROM:<s@x>\r\nRCPT TO:<a@y>\r\nRCPT TO:<b@y>\r\n>"
	    "RCPT:0=550 RCPT:1=550 done " T_QUIT },
	{ .rfc = "5321 3.3",
	  .name = "a probe in lockstep", .probe = true,
	  .server = S_PLAIN "250 ok\r\n251 ok\r\n450 no\r\n",
	  .trace = T_READY T_MAIL T_RCPT_A "RCPT:0=251 " T_RCPT_B
	    "RCPT:1=450 done " T_QUIT },
	{ .rfc = "2920 3.1",
	  .name = "a probe whose MAIL is refused", .probe = true,
	  .server = S_FULL "550 no\r\n250 ok\r\n503 no\r\n",
	  .trace = T_READY T_CHUNK "MAIL:all=550 done " T_QUIT },
	{ .rfc = "5321 4.1.1.5",
	  .name = "RSET refused", .messages = 2,
	  .server = S_PLAIN "250 ok\r\n550 no\r\n450 no\r\n500 what\r\n",
	  .trace = T_READY T_MAIL T_RCPT_A "RCPT:0=550 " T_RCPT_B
	    "RCPT:1=450 done <RSET\r\n>close(protocol,RSET)500" },
	{ .rfc = "5321 4.3.2",
	  .name = "DATA refused",
	  .server = S_FULL "250 ok\r\n550 no\r\n250 ok\r\n451 4.3.0 later\r\n",
	  .trace = T_FULL "RCPT:0=550 DATA:all=451 done " T_QUIT },
	{ .rfc = "5321 4.3.2",
	  .name = "DATA answered 250",
	  .server = S_FULL OK3 "250 what\r\n",
	  .trace = T_FULL "close(protocol,DATA)250" },
	{ .rfc = "5321 4.3.2",
	  .name = "RCPT answered 354",
	  .server = S_FULL "250 ok\r\n354 ok\r\n",
	  .trace = T_FULL "close(protocol,RCPT)354" },
	{ .rfc = "5321 4.3.2",
	  .name = "the final reply refuses; the connection lives",
	  .messages = 2,
	  .server = S_FULL OK3 "354 go\r\n554 5.7.1 spam\r\n" OK3 "354 go\r\n"
	    "250 ok\r\n",
	  .trace = T_FULL "body final dot:all=554 done " T_TX "body "
	    "final dot:all=250 done " T_QUIT },
	{ .rfc = "5321 3.8",
	  .name = "421 as final reply",
	  .server = S_FULL OK3 "354 go\r\n421 bye\r\n",
	  .trace = T_FULL "body close(reply,final dot)421" },
	{ .rfc = "5321 3.8",
	  .name = "421 to STARTTLS",
	  .server = S_TLS "421 bye\r\n",
	  .trace = T_TLS "close(reply,STARTTLS)421" },
	{ .rfc = "5321 3.8",
	  .name = "421 between RCPTs",
	  .server = S_FULL "250 ok\r\n550 no\r\n421 bye\r\n",
	  .trace = T_FULL "RCPT:0=550 close(reply,RCPT)421" },
	{ .rfc = "1870 4",
	  .name = "too large for the host", .big = true,
	  .server = S_FULL,
	  .trace = T_READY "MAIL:all=552 done " T_QUIT },
	{ .rfc = "6152 3",
	  .name = "BODY", .flags = ENVELOPE_8BIT,
	  .server = S_FULL "421 x\r\n",
	  .trace = T_READY "<MAIL FROM:<s@x> SIZE=5 BODY=8BITMIME\r\n"
	    "RCPT TO:<a@y>\r\nRCPT TO:<b@y>\r\nDATA\r\n>close(reply,MAIL)421" },
	{ .rfc = "6152 3",
	  .name = "no 8BITMIME", .flags = ENVELOPE_8BIT,
	  .server = S_PLAIN,
	  .trace = T_READY "MAIL:all=554 done " T_QUIT },
	{ .rfc = "3461 5.2.1",
	  .name = "what was asked for goes on",
	  .flags = ENVELOPE_RET_HDRS,
	  .server = "220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 dsn\r\n"
	    "421 x\r\n",
	  .trace = T_READY "<MAIL FROM:<s@x> RET=HDRS ENVID=Q+2B\r\n"
	    "RCPT TO:<a@y> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;A+2B@y\r\n"
	    "RCPT TO:<b@y>\r\nDATA\r\n>close(reply,MAIL)421" },
	{ .rfc = "3461 5.2.2",
	  .name = "not to hosts without DSN",
	  .flags = ENVELOPE_RET_FULL,
	  .server = S_PLAIN "421 x\r\n",
	  .trace = T_READY T_MAIL "close(reply,MAIL)421" },
	{ .rfc = "6531 3.4",
	  .name = "SMTPUTF8",
	  .flags = ENVELOPE_SMTPUTF8 | ENVELOPE_8BIT,
	  .server = "220 mx\r\n250-mx\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n"
	    "421 x\r\n",
	  .trace = T_READY "<MAIL FROM:<s@x> BODY=8BITMIME SMTPUTF8\r\n>"
	    "close(reply,MAIL)421" },
	{ .rfc = "6531 3.2",
	  .name = "no way down",
	  .flags = ENVELOPE_SMTPUTF8,
	  .server = S_FULL,
	  .trace = T_READY "MAIL:all=550 done " T_QUIT },
	{ .rfc = "8689 2",
	  .name = "REQUIRETLS, and sec 5: RET=HDRS",
	  .flags = ENVELOPE_REQUIRETLS | ENVELOPE_RET_FULL,
	  .server = S_TLS "220 go\r\n!250-mx\r\n250-DSN\r\n250 RequireTLS\r\n"
	    "421 x\r\n",
	  .trace = T_TLS "tls " T_READY
	    "<MAIL FROM:<s@x> REQUIRETLS RET=HDRS ENVID=Q+2B\r\n>"
	    "close(reply,MAIL)421" },
	{ .rfc = "8689 2",
	  .name = "announced in clear, by anybody",
	  .no_tls = true, .flags = ENVELOPE_REQUIRETLS,
	  .server = "220 mx\r\n250-mx\r\n250 REQUIRETLS\r\n",
	  .trace = T_READY "MAIL:all=550 done " T_QUIT },
	{ .rfc = "8689 4.2.1",
	  .name = "announced ahead of TLS, and not in it",
	  .flags = ENVELOPE_REQUIRETLS,
	  .server = "220 mx\r\n250-mx\r\n250-REQUIRETLS\r\n250 STARTTLS\r\n"
	    "220 go\r\n!250 mx\r\n",
	  .trace = T_TLS "tls " T_READY "MAIL:all=550 done " T_QUIT },

	/* RFC 3030 */
	{ .rfc = "3030 2",
	  .name = "chunks go without waiting", .chunks = true,
	  .server = S_CHUNK "250 ok\r\n250 ok\r\n550 no\r\n250 1\r\n250 2\r\n"
	    "250 3\r\n",
	  .trace = T_READY T_CHUNK "RCPT:1=550 body " T_CHUNKS
	    "final dot:all=250 done " T_QUIT },
	{ .rfc = "3030 2",
	  .name = "lockstep", .chunks = true,
	  .server = "220 mx\r\n250-mx\r\n250 CHUNKING\r\n" OK3 "250 1\r\n"
	    "250 2\r\n554 no\r\n",
	  .trace = T_READY T_MAIL T_RCPT_A T_RCPT_B "body <BDAT 5\r\n>more "
	    "<BDAT 5\r\n>more <BDAT 5 LAST\r\n>final dot:all=554 done " T_QUIT },
	{ .rfc = "3030 2",
	  .name = "not where it is not announced", .chunks = true,
	  .server = S_FULL OK3 "354 go\r\n250 ok\r\n",
	  .trace = T_FULL "body final dot:all=250 done " T_QUIT },
	{ .rfc = "3030 2",
	  .name = "nobody is left, so nothing is sent", .chunks = true,
	  .messages = 2,
	  .server = S_CHUNK "250 ok\r\n550 no\r\n550 no\r\n421 x\r\n",
	  .trace = T_READY T_CHUNK "RCPT:0=550 RCPT:1=550 done <RSET\r\n"
	    "MAIL FROM:<s@x>\r\nRCPT TO:<a@y>\r\nRCPT TO:<b@y>\r\n>"
	    "close(reply,RSET)421" },
	{ .rfc = "3030 2",
	  .name = "recipients behind a refused MAIL", .chunks = true,
	  .server = S_CHUNK "550 no\r\n250 ok\r\n250 ok\r\n",
	  .trace = T_READY T_CHUNK "MAIL:all=550 done " T_QUIT },
	{ .rfc = "3030 2",
	  .name = "a refusal in the middle", .chunks = true,
	  .server = S_CHUNK OK3 "250 1\r\n552 5.3.4 big\r\n503 5.5.1 what\r\n",
	  .trace = T_READY T_CHUNK "body " T_CHUNKS
	    "close(reply,final dot)552" },
	{ .rfc = "3030 2",
	  .name = "a refusal in lockstep", .chunks = true,
	  .server = "220 mx\r\n250-mx\r\n250 CHUNKING\r\n" OK3 "451 no\r\n",
	  .trace = T_READY T_MAIL T_RCPT_A T_RCPT_B "body <BDAT 5\r\n>"
	    "close(reply,body)451" },
	{ .rfc = "3030 2",
	  .name = "354 to a chunk", .chunks = true,
	  .server = S_CHUNK OK3 "354 go\r\n",
	  .trace = T_READY T_CHUNK "body " T_CHUNKS
	    "close(protocol,final dot)354" },
	{ .rfc = "3030 2",
	  .name = "more replies than chunks", .chunks = true,
	  .server = "220 mx\r\n250-mx\r\n250 CHUNKING\r\n" OK3 "+250 1\r\n"
	    "250 2\r\n250 3\r\n250 4\r\n",
	  .trace = T_READY T_MAIL T_RCPT_A T_RCPT_B "body <BDAT 5\r\n>more "
	    "<BDAT 5\r\n>more <BDAT 5 LAST\r\n>final dot:all=250 done " T_QUIT },

	/* RFC 2033 */
	{ .rfc = "2033 4.2",
	  .name = "a reply for each", .lmtp = true,
	  .server = S_FULL OK3 "354 go\r\n250 a\r\n452 4.2.2 full\r\n",
	  .trace = "<LHLO me\r\n>ready " T_TX "body final dot:0=250 "
	    "final dot:1=452 done " T_QUIT },
	{ .rfc = "2033 4.2",
	  .name = "of those that were taken", .lmtp = true,
	  .server = S_FULL "250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n250 b\r\n",
	  .trace = "<LHLO me\r\n>ready " T_TX "RCPT:0=550 body "
	    "final dot:1=250 done " T_QUIT },
	{ .rfc = "2033 4.2",
	  .name = "the connection dies between two", .lmtp = true,
	  .server = S_FULL OK3 "354 go\r\n250 a\r\n421 bye\r\n",
	  .trace = "<LHLO me\r\n>ready " T_TX "body final dot:0=250 "
	    "close(reply,final dot)421" },
	{ .rfc = "2033 4.1",
	  .name = "no HELO", .lmtp = true,
	  .server = "220 mx\r\n500 what\r\n",
	  .trace = "<LHLO me\r\n><QUIT\r\n>close(reply,EHLO)500" },
	{ .rfc = "2033 4.2",
	  .name = "503 to DATA for nobody", .lmtp = true,
	  .server = S_FULL "250 ok\r\n550 no\r\n550 no\r\n503 nobody\r\n",
	  .trace = "<LHLO me\r\n>ready " T_TX "RCPT:0=550 RCPT:1=550 done "
	    T_QUIT },
	{ .rfc = "2033 4.2",
	  .name = "354 for nobody", .lmtp = true,
	  .server = S_FULL "250 ok\r\n550 no\r\n550 no\r\n354 go\r\n",
	  .trace = "<LHLO me\r\n>ready " T_TX "RCPT:0=550 RCPT:1=550 "
	    "close(protocol,DATA)354" },
	{ .rfc = "2033 4.3",
	  .name = "chunks", .lmtp = true, .chunks = true,
	  .server = S_CHUNK OK3 "250 1\r\n250 2\r\n250 a\r\n550 b\r\n",
	  .trace = "<LHLO me\r\n>ready " T_CHUNK "body " T_CHUNKS
	    "final dot:0=250 final dot:1=550 done " T_QUIT },

	{ .rfc = "5321 4.2.1",
	  .name = "mixed codes in the final reply",
	  .server = S_FULL OK3 "354 go\r\n250-ok\r\n550 no\r\n",
	  .trace = T_FULL "body close(protocol,final dot)250" },
};

static const char *const event_names[] = {
	[CLIENT_READY] = "ready ", [CLIENT_START_TLS] = "tls ",
	[CLIENT_SEND_BODY] = "body ", [CLIENT_SEND_MORE] = "more ",
	[CLIENT_MESSAGE_DONE] = "done ",
};

struct run {
	const struct row *row;
	struct client	 c;
	struct buf	 trace;
	unsigned	 left;		/* messages */
	bool		 closed, in_tls;
};

static void
run_output(struct run *x)
{
	struct buf *out = client_output(&x->c);

	if (out->len == 0)
		return;
	(void)buf_char(&x->trace, '<');
	(void)buf_span(&x->trace, buf_get(out));
	(void)buf_char(&x->trace, '>');
	buf_reset(out);
}

static void
run_message(struct run *x)
{
	static const struct client_rcpt rcpts[] = {
		{ .address = { "a@y", 3 }, .notify = NOTIFY_SUCCESS |
		    NOTIFY_DELAY, .orcpt = { "rfc822;A+2B@y", 13 } },
		{ .address = { "b@y", 3 } },
	};
	const struct client_message m = {
		.sender = SPAN_LIT("s@x"), .rcpts = rcpts, .nrcpts = 2,
		.size = x->row->big ? 1001 : 5,
		.flags = x->row->flags, .envid = SPAN_LIT("Q+2B"),
		.probe = x->row->probe, .chunks = x->row->chunks,
	};

	if (x->left == 0) {
		client_quit(&x->c);
		return;
	}
	x->left--;
	client_message(&x->c, &m, 0);
}

/* In chunks: three of them, as many at once as may be. */
static void
run_body(struct run *x)
{
	struct buf out;

	if (!x->c.chunked) {
		client_body_end(&x->c, 0);
		return;
	}
	buf_init(&out, 1000);
	while (x->c.nchunks < 3 && client_chunk_due(&x->c))
		client_chunk(&x->c, 5, x->c.nchunks == 2, &out, 0);
	(void)buf_printf(&x->trace, "<%.*s>", SPAN_FMT(buf_get(&out)));
	buf_free(&out);
}

static void
run_event(struct run *x, enum client_event ev)
{
	char at[24] = "all";

	if (ev == CLIENT_VERDICT) {
		if (x->c.rcpt != CLIENT_ALL)
			(void)snprintf(at, sizeof(at), "%zu", x->c.rcpt);
		(void)buf_printf(&x->trace, "%s:%s=%d ",
		    client_step_name(x->c.verdict), at, x->c.reply.code);
		return;
	}
	if (ev == CLIENT_CLOSE) {
		run_output(x);
		x->closed = true;
		(void)buf_printf(&x->trace, "close(%s,%s)",
		    client_end_name(x->c.end), client_step_name(x->c.at));
		if (x->c.end != CLIENT_END_QUIT)
			(void)buf_printf(&x->trace, "%d", x->c.reply.code);
		return;
	}
	(void)buf_str(&x->trace, event_names[ev]);
	if (ev == CLIENT_SEND_BODY || ev == CLIENT_SEND_MORE)
		run_body(x);
	if (ev == CLIENT_READY || ev == CLIENT_MESSAGE_DONE)
		run_message(x);
}

static void
run_bytes(struct run *x, struct span in)
{
	enum client_event ev;
	size_t used;

	do {
		ev = client_next(&x->c, in, &used, 0);
		in = span_skip(in, used);
		if (ev == CLIENT_WAIT)
			break;
		/* as a driver does it: an event first, what it sent next */
		if (ev == CLIENT_VERDICT || ev == CLIENT_SEND_BODY ||
		    ev == CLIENT_SEND_MORE || ev == CLIENT_START_TLS) {
			run_event(x, ev);
			run_output(x);
		} else {
			run_output(x);
			run_event(x, ev);
		}
	} while (!x->closed);
	run_output(x);
}

/* One reply line a time, as a server in lockstep sends them; all at once where
 * the script says '+'; '!' is where the handshake is done. */
static void
run_script(struct run *x, bool bytewise)
{
	const char *p = x->row->server, *e;

	while (*p != '\0' && !x->closed) {
		if (*p == '!') {
			client_secured(&x->c, 0);
			run_output(x);
			p++;
		}
		if (*p == '+') {
			run_bytes(x, span_str(p + 1));
			break;
		}
		e = strchr(p, '\n');
		ck_assert_ptr_nonnull(e);
		if (!bytewise)
			run_bytes(x, span_of(p, (size_t)(e + 1 - p)));
		for (; bytewise && p <= e && !x->closed; p++)
			run_bytes(x, span_of(p, 1));
		p = e + 1;
	}
}

START_TEST(client_rows)
{
	const struct row *r = &rows[_i];
	const struct client_setup setup = { .name = "me",
	    .starttls = !r->no_tls, .lmtp = r->lmtp };
	int way;

	for (way = 0; way < 2; way++) {
		struct run x = { .row = r };

		x.left = r->messages == 0 ? 1 : r->messages;
		buf_init(&x.trace, 8192);
		client_init(&x.c, &setup, 0);
		run_script(&x, way == 1);
		ck_assert_msg(span_eq(buf_get(&x.trace), span_str(r->trace)),
		    "%s (RFC %s):\n%s\nwanted\n%s", r->name, r->rfc,
		    buf_cstr(&x.trace), r->trace);
		ck_assert(x.closed && x.c.step == CLIENT_OVER);
		client_free(&x.c);
		buf_free(&x.trace);
	}
}
END_TEST

/* RFC 5321 sec 4.5.3.2: each step has its own time, and a reply starts it
 * anew, while mere bytes of one do not. */
START_TEST(client_times)
{
	static const struct client_setup setup = { .name = "me",
	    .starttls = true, .timeouts = { .greeting = 1, .command = 20,
	    .data_start = 300, .data_block = 4000, .data_end = 50000,
	    .handshake = 600000 } };
	static const struct client_rcpt rcpts[] = {
		{ .address = { "a@y", 3 } },
	};
	static const struct client_message m = { .sender = { "", 0 },
	    .rcpts = rcpts, .nrcpts = 1, .size = 5 };
	static const struct {
		const char	*bytes;
		enum client_event ev;
		uint64_t	 deadline;
	} acts[] = {
		{ "220 mx\r\n", CLIENT_WAIT, 1020 },
		{ "250-mx\r\n250-", CLIENT_WAIT, 1020 },
		{ "PIPELINING\r\n250 STARTTLS\r\n", CLIENT_WAIT, 3020 },
		{ "220 go\r\n", CLIENT_START_TLS, 604000 },
		{ "250 mx\r\n", CLIENT_READY, CLIENT_NEVER },
		{ "250 ok\r\n", CLIENT_WAIT, 6020 },
		{ "250 ok\r\n", CLIENT_WAIT, 7300 },
		{ "354 ok\r\n", CLIENT_SEND_BODY, 12000 },
		{ "250 ok\r\n", CLIENT_VERDICT, 59000 },
	};
	struct client c;
	uint64_t now = 0;
	size_t used;
	int i;

	client_init(&c, &setup, now);
	ck_assert_uint_eq(client_deadline(&c), 1);
	for (i = 0; i < NELEM(acts); i++) {
		now += 1000;
		ck_assert_int_eq(client_next(&c, span_str(acts[i].bytes), &used,
		    now), acts[i].ev);
		ck_assert_uint_eq(client_deadline(&c), acts[i].deadline);
		if (acts[i].ev == CLIENT_START_TLS) {
			client_secured(&c, now);
			ck_assert_uint_eq(client_deadline(&c), now + 20);
		}
		if (acts[i].ev == CLIENT_READY) {
			client_message(&c, &m, now);
			ck_assert_uint_eq(client_deadline(&c), now + 20);
		}
		if (acts[i].ev == CLIENT_SEND_BODY) {
			client_body_moved(&c, now + 500);
			ck_assert_uint_eq(client_deadline(&c), now + 4500);
			client_body_end(&c, now + 1000);
			ck_assert_uint_eq(client_deadline(&c), now + 51000);
		}
	}
	client_timeout(&c);
	ck_assert_int_eq(c.end, CLIENT_END_TIMEOUT);
	ck_assert_int_eq(c.at, CLIENT_FINAL);
	ck_assert_uint_eq(client_deadline(&c), CLIENT_NEVER);
	client_free(&c);
}
END_TEST

START_TEST(client_addresses)
{
	ck_assert(client_address_ok(SPAN_LIT("\"a>b c\"@x"), false));
	ck_assert(client_address_ok(SPAN_NONE, false));
	ck_assert(!client_address_ok(SPAN_LIT("a@x>\r\nRSET"), true));
	ck_assert(!client_address_ok(SPAN_LIT("a@x\n"), true));
	ck_assert(!client_address_ok(span_of("a\0b", 3), true));
	ck_assert(!client_address_ok(SPAN_LIT("a\x7f@x"), true));
	ck_assert(!client_address_ok(SPAN_LIT("\xc3\xa9@x"), false));
	ck_assert(client_address_ok(SPAN_LIT("\xc3\xa9@x"), true));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp client");
	TCase *tc = tcase_create("client");

	tcase_add_loop_test(tc, client_rows, 0, NELEM(rows));
	tcase_add_test(tc, client_times);
	tcase_add_test(tc, client_addresses);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
