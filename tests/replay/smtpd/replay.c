/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/smtpd/replay.c - plays a scripted client and queue against the
 * real session: `replay FILE`.  Twice: once with what the client sends between
 * two other lines of the script in one segment, once byte by byte; `segment`
 * leaves the second out.  One line, one act or expectation:
 *
 *	set message-size|recipients|header-size|hops N
 *	set bare-newline|nul reject, set xforward on
 *	set greeting-name other.test, set postmaster away|nobody
 *	set tls none|required|implicit, set client IP, set relay-from nobody
 *	set list ENTRY,ENTRY (of recipients, sorted), set require encrypted
 *	set verify on (recipients are asked for, see stand.h)
 *	keys away
 *	verify			what waits is answered, the last question first
 *	questions N		so many wait
 *	question-wish required|report|none	how the last one may travel
 *	network error|unknown|recipient N	so many more are let pass
 *	c: TEXT			the client sends a line, or
 *	c> TEXT			these bytes, with \r \n \t \0 \\ \xHH
 *	crep N TEXT		a line N times
 *	s: TEXT			the next line we say; a final * stands for the rest
 *	s+ CODE			the next reply, of however many lines
 *	silent			we have said nothing more
 *	tls			we want the handshake, and it is done
 *	room now|later|none	on the queue's link
 *	commit CODE [ENH TEXT]	what the queue answers from now on; 0: nothing
 *	spool CODE [ENH TEXT]	the same for the request for a file
 *	write CODE		writing to that file fails; 0: works
 *	queue-lost, timeout, shut
 *	message FROM RCPTS 7bit|8bit inline|file	one more was handed over
 *	asked RET ENVID RCPT...	it asked for this; "-" nothing, RCPT is
 *				NOTIFY:ORCPT, NOTIFY of the letters N S F D
 *	forwarded TEXT		XFORWARD said so of it: NAME ADDR PORT PROTO HELO
 *				IDENT SOURCE, "-" nothing
 *	header TEXT		is in the fields that we put on top of its body,
 *	no-header TEXT		is not,
 *	body TEXT		and this the rest, with \r \n
 *	size N			or so many bytes of it
 *	tls-wish required|optional|none	how it may travel
 *	messages N		so many were accepted in all
 *	abuse KIND		was reported
 *	open, closed		what became of the session
 *
 * What we say and nobody expects is a failure. */
#include <stdio.h>

#include "tests/replay/script.h"
#include "tests/replay/smtpd/stand.h"
#include "tests/unit/suite.h"

static const char *file;

static struct {
	struct stand	 t;
	bool		 bytewise, started;
	struct buf	 typed;		/* by the client, not yet sent */
	unsigned	 handed;	/* messages that the script has seen */
} play;

/* ---- the client ---- */

static void
start(void)
{
	if (play.started)
		return;
	play.started = true;
	stand_start(&play.t);
}

/* What was typed goes out now. */
static void
flush(void)
{
	struct span s = buf_get(&play.typed);

	start();
	if (!play.bytewise && s.n > 0)
		stand_feed(&play.t, s);
	for (size_t i = 0; play.bytewise && i < s.n; i++)
		stand_feed(&play.t, span_of(s.p + i, 1));
	buf_reset(&play.typed);
}

static void
act_line(const char *arg)
{
	buf_printf(&play.typed, "%s\r\n", arg);
}

static void
act_bytes(const char *arg)
{
	unescape(arg, &play.typed);
}

static void
act_repeat(const char *arg)
{
	char *rest;
	unsigned long n = strtoul(arg, &rest, 10);

	while (n-- > 0)
		act_line(rest + (*rest == ' '));
}

/* ---- settings ---- */

static void
act_set(const char *arg)
{
	char key[32], value[64];
	unsigned long n;

	if (sscanf(arg, "%31s %63s", key, value) != 2 || play.started)
		wrong("set KEY VALUE, ahead of all else");
	n = strtoul(value, NULL, 10);
	if (strcmp(key, "message-size") == 0)
		play.t.conf.limits.message_size = n;
	else if (strcmp(key, "recipients") == 0)
		play.t.conf.limits.recipients = (unsigned)n;
	else if (strcmp(key, "header-size") == 0)
		play.t.conf.limits.header_size = n;
	else if (strcmp(key, "hops") == 0)
		play.t.conf.limits.hops = (unsigned)n;
	else if (strcmp(key, "nul") == 0)
		play.t.conf.limits.nul = NUL_REJECT;
	else if (strcmp(key, "xforward") == 0)
		play.t.listen.xforward = true;
	else if (strcmp(key, "greeting-name") == 0)
		play.t.listen.greeting_name = "other.test";
	else if (strcmp(key, "postmaster") == 0)
		play.t.conf.postmaster = value[0] == 'n' ? "" :
		    "Ops@elsewhere.test";
	else if (strcmp(key, "bare-newline") == 0)
		play.t.conf.limits.bare_newline = BARE_REJECT;
	else if (strcmp(key, "tls") == 0)
		play.t.listen.tls = value[0] == 'n' ? LISTEN_NONE :
		    value[0] == 'i' ? LISTEN_IMPLICIT : LISTEN_REQUIRED;
	else if (strcmp(key, "require") == 0)
		stand_rules(&play.t);
	else if (strcmp(key, "verify") == 0)
		stand_verify(&play.t);
	else if (strcmp(key, "list") == 0)
		stand_list(&play.t, value);
	else if (strcmp(key, "relay-from") == 0)
		play.t.listen.nrelay_from = 0;
	else if (strcmp(key, "client") != 0 ||
	    !addr_parse_ip(span_str(value), &play.t.client))
		wrong("what is %s?", key);
}

static void
act_keys(const char *arg)
{
	flush();
	play.t.no_tls = strcmp(arg, "away") == 0;
}

static void
act_verify(const char *arg)
{
	(void)arg;
	flush();
	stand_answer_waiting(&play.t);
}

static void
act_network(const char *arg)
{
	unsigned what = arg[0] == 'e' ? COUNT_ERROR : arg[0] == 'u' ?
	    COUNT_UNKNOWN : COUNT_RECIPIENT;

	flush();
	play.t.may_count[what] = play.t.counted[what] +
	    (unsigned)strtoul(arg + strcspn(arg, " "), NULL, 10);
}

static void
act_segment(const char *arg)
{
	(void)arg;
	if (play.bytewise)
		script_leave();
}

/* ---- the queue ---- */

static void
act_room(const char *arg)
{
	flush();
	play.t.room = strcmp(arg, "now") == 0 ? ROOM_NOW :
	    strcmp(arg, "later") == 0 ? ROOM_LATER : ROOM_NONE;
	stand_run(&play.t);
}

static void
read_answer(const char *arg, struct stand_answer *a)
{
	flush();
	*a = (struct stand_answer){ .code = 0 };
	if (sscanf(arg, "%d %11s %239[^\n]", &a->code, a->enhanced,
	    a->text) < 1)
		wrong("CODE [ENHANCED TEXT]");
	stand_run(&play.t);
}

static void
act_commit(const char *arg)
{
	read_answer(arg, &play.t.commit);
}

static void
act_spool(const char *arg)
{
	read_answer(arg, &play.t.spool);
}

static void
act_write(const char *arg)
{
	flush();
	play.t.write_code = (int)strtol(arg, NULL, 10);
}

static void
act_queue_lost(const char *arg)
{
	(void)arg;
	flush();
	stand_queue_lost(&play.t);
}

static void
act_timeout(const char *arg)
{
	(void)arg;
	flush();
	session_timeout(&play.t.s);
	stand_run(&play.t);
}

static void
act_shut(const char *arg)
{
	(void)arg;
	flush();
	session_shut(&play.t.s);
	stand_run(&play.t);
}

static void
act_tls(const char *arg)
{
	(void)arg;
	flush();
	if (!play.t.tls_asked || play.t.closed)
		wrong("no handshake was asked for");
	if (play.t.out.len > 0)
		wrong("words ahead of the handshake: %.*s",
		    SPAN_FMT(buf_get(&play.t.out)));
	stand_tls(&play.t);
}

/* ---- expectations ---- */

/* The next line of ours, CRLF taken off; `want` is for the message. */
static struct span
next_line(const char *want, struct span *rest)
{
	struct span line;

	*rest = buf_get(&play.t.out);
	line = span_cut(rest, '\n');
	if (line.n == 0 || line.p[line.n - 1] != '\r')
		wrong("we say nothing, and not: %s", want);
	line.n--;
	return line;
}

static void
want_reply(const char *arg)
{
	struct span rest, line, want = span_str(arg);

	flush();
	line = next_line(arg, &rest);
	if (want.n > 0 && want.p[want.n - 1] == '*') {
		want.n--;
		if (line.n > want.n)
			line.n = want.n;
	}
	if (!span_eq(line, want))
		wrong("we say: %.*s\nand not: %s", SPAN_FMT(line), arg);
	buf_consume(&play.t.out, play.t.out.len - rest.n);
}

static void
want_whole_reply(const char *arg)
{
	struct span rest, line;
	bool more = true;

	flush();
	while (more) {
		line = next_line(arg, &rest);
		more = line.n > 3 && line.p[3] == '-';
		if (line.n < 4 || strlen(arg) != 3 ||
		    !span_eq(span_head(line, 3), span_str(arg)))
			wrong("we say: %.*s\nand not: %s", SPAN_FMT(line), arg);
		buf_consume(&play.t.out, play.t.out.len - rest.n);
	}
}

static void
want_silence(const char *arg)
{
	(void)arg;
	flush();
	if (play.t.out.len > 0)
		wrong("we say also: %.*s", SPAN_FMT(buf_get(&play.t.out)));
}

static void
want_message(const char *arg)
{
	char got[2 * SCRIPT_LINE];
	const struct stand *t = &play.t;

	flush();
	if (t->commits != ++play.handed)
		wrong("%u messages were handed over", t->commits);
	(void)snprintf(got, sizeof got, "<%s> %.*s %s %s", t->sender,
	    SPAN_FMT(buf_get(&t->rcpts)), t->flags & ENVELOPE_8BIT ? "8bit" : "7bit",
	    t->in_file ? "file" : "inline");
	if (strcmp(got, arg) != 0)
		wrong("the message is: %s", got);
}

static void
want_tls_wish(const char *arg)
{
	uint16_t flags = play.t.flags &
	    (ENVELOPE_REQUIRETLS | ENVELOPE_TLS_OPTIONAL);
	const char *wish = flags == 0 ? "none" :
	    flags == ENVELOPE_REQUIRETLS ? "required" :
	    flags == ENVELOPE_TLS_OPTIONAL ? "optional" : "both";

	if (strcmp(wish, arg) != 0)
		wrong("the wish was %s", wish);
}

static void
want_asked(const char *arg)
{
	if (strcmp(buf_cstr(&play.t.asked), arg) != 0)
		wrong("it asked for: %s", buf_cstr(&play.t.asked));
}

static void
want_forwarded(const char *arg)
{
	if (strcmp(buf_cstr(&play.t.forwarded), arg) != 0)
		wrong("it came from: %s", buf_cstr(&play.t.forwarded));
}

static bool
skip_prefix(struct span *s, const char *prefix)
{
	if (!span_istarts(*s, span_str(prefix)))
		return false;
	*s = span_skip(*s, strlen(prefix));
	return true;
}

/* The Received: field ends where a line does not begin with a tab; behind it
 * may be what the message lacked. */
static struct span
split(struct span *rest)
{
	struct span body = buf_get(&play.t.body), head = body;
	char id[64];

	*rest = body;
	do {
		(void)span_cut(rest, '\n');
	} while (rest->n > 0 && rest->p[0] == '\t');
	(void)skip_prefix(rest, "Date: " STAND_DATE "\r\n");
	(void)snprintf(id, sizeof id, "Message-ID: <%s@mx.test>\r\n",
	    play.t.id);
	(void)skip_prefix(rest, id);
	head.n -= rest->n;
	return head;
}

static void
want_header(const char *arg)
{
	struct span rest, head = split(&rest);

	if (memmem(head.p, head.n, arg, strlen(arg)) == NULL)
		wrong("the header is: %.*s", SPAN_FMT(head));
}

static void
want_no_header(const char *arg)
{
	struct span rest, head = split(&rest);

	if (memmem(head.p, head.n, arg, strlen(arg)) != NULL)
		wrong("the header is: %.*s", SPAN_FMT(head));
}

static void
want_body(const char *arg)
{
	struct span rest;
	struct buf want;

	(void)split(&rest);
	buf_init(&want, SCRIPT_LINE);
	unescape(arg, &want);
	if (!span_eq(rest, buf_get(&want)))
		wrong("the body is: %.*s", SPAN_FMT(rest));
	buf_free(&want);
}

static void
want_size(const char *arg)
{
	struct span rest;

	(void)split(&rest);
	if (rest.n != strtoul(arg, NULL, 10))
		wrong("the body has %zu bytes", rest.n);
}

static void
want_messages(const char *arg)
{
	flush();
	if (play.t.accepted != strtoul(arg, NULL, 10))
		wrong("%u messages were accepted", play.t.accepted);
}

static void
want_abuse(const char *arg)
{
	flush();
	if (strcmp(play.t.abuse, arg) != 0)
		wrong("abuse: '%s'", play.t.abuse);
}

static void
want_questions(const char *arg)
{
	flush();
	if (play.t.nquestions != strtoul(arg, NULL, 10) ||
	    play.t.most_questions > SESSION_ASKS_MAX)
		wrong("%u questions, %u at once", play.t.nquestions,
		    play.t.most_questions);
}

static void
want_question_wish(const char *arg)
{
	const char *wish = play.t.last_wish == TLS_WISH_NONE ? "none" :
	    play.t.last_wish == TLS_WISH_REQUIRED ? "required" :
	    play.t.last_wish == TLS_WISH_REPORT ? "report" : "optional";

	flush();
	if (strcmp(wish, arg) != 0)
		wrong("the question's wish was %s", wish);
}

static void
want_open(const char *arg)
{
	(void)arg;
	flush();
	if (play.t.closed)
		wrong("the session is closed");
}

static void
want_closed(const char *arg)
{
	want_silence(arg);
	if (!play.t.closed)
		wrong("the session is open");
}

/* ---- the script ---- */

static const struct script_act acts[] = {
	{ "set", act_set }, { "segment", act_segment },
	{ "keys", act_keys }, { "verify", act_verify },
	{ "network", act_network },
	{ "c:", act_line }, { "c>", act_bytes }, { "crep", act_repeat },
	{ "s:", want_reply }, { "s+", want_whole_reply }, { "silent", want_silence },
	{ "tls", act_tls }, { "room", act_room }, { "commit", act_commit },
	{ "spool", act_spool }, { "write", act_write },
	{ "queue-lost", act_queue_lost }, { "timeout", act_timeout },
	{ "shut", act_shut }, { "message", want_message },
	{ "asked", want_asked }, { "tls-wish", want_tls_wish }, { "forwarded", want_forwarded },
	{ "header", want_header }, { "no-header", want_no_header },
	{ "body", want_body },
	{ "size", want_size }, { "messages", want_messages }, { "abuse", want_abuse },
	{ "questions", want_questions },
	{ "question-wish", want_question_wish },
	{ "open", want_open }, { "closed", want_closed },
};

static void
play_file(bool bytewise)
{
	memset(&play, 0, sizeof play);
	play.bytewise = bytewise;
	script_way = bytewise ? " (byte by byte)" : "";
	buf_init(&play.typed, 1u << 24);
	stand_init(&play.t);
	if (script_play(file, acts, NELEM(acts)))
		want_silence("");
	buf_free(&play.typed);
	start();
	stand_free(&play.t);
}

START_TEST(whole)
{
	play_file(false);
}
END_TEST

START_TEST(bytewise)
{
	play_file(true);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("smtpd replay");
	TCase *tc = tcase_create("script");

	if (argc != 2)
		return 64;
	file = argv[1];
	(void)setenv("TZ", "UTC", 1);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, bytewise);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
