/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/replay.c - plays a script of peers against the real
 * courier: `replay FILE`.  One line, one act or expectation:
 *
 *	host NAME IP[,IP] [LEVEL]	a host of the route, level asked
 *	host /PATH			a unix socket
 *	rcpt ADDRESS [NOTIFY [ORCPT]]	of the jobs that follow; NOTIFY a number
 *	set tls-failed|8bit|utf8|requiretls|discard|probe|lmtp, set ret full|hdrs
 *	set size N, set body TEXT, set site N, set identity N
 *	set sender TEXT, set envid TEXT
 *	set lines N TEXT		add TEXT N times to the body
 *	set file			the body comes as a file
 *	set source IP, set ehlo NAME	of the configuration
 *	set proven LEVEL		what peers with TLS can prove; encrypted
 *	JOB				take a job
 *	CONNECT IP ok|refused|lost	the connection being made, and how it goes
 *	S: TEXT				the peer sends a line, or
 *	S> TEXT				these bytes, with \r \n \t \\ \xHH
 *	SREP N TEXT			a line N times, in one segment a line
 *	C: TEXT				we have sent this line next, escapes as in S>
 *	CSKIP N				and these bytes, whatever they are
 *	TLS ok|full|fail [reduced]	the handshake; `full`: it resumes nothing,
 *					whatever we tried; `reduced`: a small hello
 *	SNI NAME			of the handshake at hand
 *	RESUME TEXT|none		what it tries to resume
 *	TICKET TEXT			for the next one; the peer has sent it
 *	SOURCE IP|none			of the connection at hand
 *	WIRE N				the Nth connection made is the one at hand
 *	COUNT N				connections that were made so far
 *	CLOSE, RESET			the peer closes
 *	CLOSED, OPEN			what we did with the connection
 *	DRAIN				what we sent is read, unlooked at
 *	PASS 30s			time, or ms
 *	RCPT ADDRESS STATUS DSN REACHED HOW [WORDS]	an outcome
 *	FOUND ADDRESS STATUS DSN [WORDS]	what a probe learnt
 *	DUTY ADDRESS passed=N final=N	what else the outcome says
 *	JOBEND tls-failed=N trouble=N	of the job
 *	LOST FINDING IP			what policy is told next, NONE: nothing more
 *	PENDING				no outcome yet
 *
 * What we send and nobody expects is a failure. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/envelope.h"
#include "base/log.h"
#include "relay/courier.h"
#include "tests/replay/relay/world.h"

#define SECOND	1000u
#define JOBS_MAX	8
#define RCPTS_MAX	64
#define LOST_MAX	64

struct told {
	const struct job *job;
	size_t		 rcpt;
	struct hop	 hop;
};

static struct conf conf = { .relay = { .sending = { .ehlo_name = "me.test" } } };

static struct {
	const char	*file;
	unsigned	 line;
	struct courier	 courier;
	struct route	 route;		/* template */
	struct {
		char	*address, *orcpt;
		uint8_t	 notify;
	} rcpts[RCPTS_MAX];
	size_t		 nrcpts;
	bool		 tls_failed, probe;
	enum level	 proven;
	uint64_t	 size;
	struct buf	 body;
	bool		 as_file;
	unsigned	 flags;
	char		 sender[256], envid[128];
	struct job	*jobs[JOBS_MAX];
	size_t		 njobs;
	struct channel	*wire;		/* at hand */
	struct told	 told[RCPTS_MAX * JOBS_MAX];
	size_t		 ntold;
	struct {
		enum finding finding;
		char	 addr[ADDR_TEXT_SIZE];
	} lost[LOST_MAX];
	size_t		 nlost, lost_at;
} play;

static void fail(const char *, ...)
    __attribute__((format(printf, 1, 2), noreturn));

static void
fail(const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s:%u: ", play.file, play.line);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

/* ---- what the courier tells ---- */

static void
on_decided(void *arg, struct job *j)
{
	(void)arg;
	if (j->state != JOB_DECIDED || j->nundecided != 0)
		fail("job told too early");
}

static void
on_session(void *arg, const struct job *j, const struct session *s)
{
	(void)arg, (void)j;
	if (s->client.is_tls != (s->level >= LEVEL_ENCRYPTED))
		fail("session's level is wrong");
}

static void
on_lost(void *arg, const struct job *j, const struct session *s,
    enum finding finding, const char *reason)
{
	(void)arg, (void)j;
	if (reason[0] == '\0' || play.nlost == LOST_MAX)
		fail("a loss without reason, or too many");
	play.lost[play.nlost].finding = finding;
	(void)snprintf(play.lost[play.nlost++].addr, ADDR_TEXT_SIZE, "%s",
	    s->hop.addr);
}

static void
on_delivered(void *arg, const struct job *j, const struct hop *h,
    const struct job_rcpt *first, unsigned n)
{
	size_t i, k;

	(void)arg;
	for (i = 0; i < j->nrcpts && n > 0; i++) {
		const struct job_rcpt *r = &j->rcpts[i];

		for (k = 0; k < play.ntold; k++) {
			if (play.told[k].job == j && play.told[k].rcpt == i)
				break;
		}
		if (k < play.ntold || !r->told || r->status != first->status ||
		    strcmp(r->dsn, first->dsn) != 0)
			continue;
		play.told[play.ntold++] = (struct told){ j, i, *h };
		n--;
	}
	if (n != 0)
		fail("a fact counts recipients that it does not have");
}

static void
on_idle(void *arg)
{
	(void)arg;
}

static bool
on_authenticate(void *arg, struct session *s, const struct route *r,
    const struct route_host *h)
{
	(void)arg, (void)r;
	if (h->asked <= LEVEL_ENCRYPTED)
		return true;
	if (play.proven < h->asked) {
		fault_set(&s->fault, FAULT_TEMP, 0, "4.7.5", "it proved nothing");
		return false;
	}
	s->level = h->asked;
	s->hop.how = HOW_WEBPKI;
	return true;
}

static const struct courier_ops courier_ops = {
	.decided = on_decided, .session = on_session,
	.lost = on_lost, .delivered = on_delivered, .authenticate = on_authenticate,
	.idle = on_idle,
};

/* ---- the job ---- */

static void
copy_route(struct route *to)
{
	unsigned i;

	*to = play.route;
	to->domain = strdup("example.org");
	to->expanded = strdup("");
	to->hosts = calloc(play.route.nhosts, sizeof(*to->hosts));
	for (i = 0; i < to->nhosts; i++) {
		const struct route_host *h = &play.route.hosts[i];

		to->hosts[i] = *h;
		to->hosts[i].name = strdup(h->name);
		to->hosts[i].base = strdup("");
		if (h->path != NULL)
			to->hosts[i].path = strdup(h->path);
		to->hosts[i].addrs = calloc(h->naddrs, sizeof(*h->addrs));
		memcpy(to->hosts[i].addrs, h->addrs,
		    h->naddrs * sizeof(*h->addrs));
	}
}

static int
body_file(void)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	struct span s = buf_get(&play.body);

	if (fd == -1 || write(fd, s.p, s.n) != (ssize_t)s.n)
		fail("no file");
	return fd;
}

static void
act_job(struct span rest)
{
	struct job *j = job_new(play.njobs + 1);
	struct buf list;
	struct ipc_job m = { .job = play.njobs + 1,
	    .id = SPAN_LIT("aaaaaaaaaaaaaaaa"),
	    .sender = span_str(play.sender), .envid = span_str(play.envid),
	    .flags = (uint16_t)play.flags, .tls_failed = play.tls_failed,
	    .arrived = clock_wall_ms(),
	    .body = play.as_file ? SPAN_NONE : buf_get(&play.body),
	    .size = play.body.len };
	size_t i;

	(void)rest;
	buf_init(&list, 61440);
	for (i = 0; i < play.nrcpts; i++) {
		const struct ipc_job_rcpt r = { .index = (uint32_t)i,
		    .address = span_str(play.rcpts[i].address),
		    .notify = play.rcpts[i].notify,
		    .orcpt = span_str(play.rcpts[i].orcpt) };

		(void)ipc_put_job_rcpt(&list, &r);
	}
	m.rcpts = buf_get(&list);
	if (play.probe) {
		m.probe = 1;
		m.sender = m.body = SPAN_NONE;
		m.size = 0;
	}
	if (j == NULL || play.njobs == JOBS_MAX ||
	    job_fill(j, &m, play.as_file ? body_file() : -1) == -1)
		fail("job not taken");
	if (play.size != 0)
		j->body.size = play.size;
	buf_free(&list);
	copy_route(&j->route);
	play.jobs[play.njobs++] = j;
	courier_take(&play.courier, j);
	world_settle();
}

/* ---- acts ---- */

static struct span
word(struct span *rest)
{
	struct span w;

	*rest = span_trim(*rest);
	w = span_cut(rest, ' ');
	*rest = span_trim(*rest);
	return w;
}

static char *
text_of(struct span s)
{
	char *p = strndup(s.p, s.n);

	if (p == NULL)
		fail("no memory");
	return p;
}

static bool
is(struct span s, const char *w)
{
	return span_eq(s, span_str(w));
}

static void
act_host(struct span rest)
{
	struct route *r = &play.route;
	struct route_host *h;
	struct span ips, name = word(&rest);

	r->hosts = realloc(r->hosts, (r->nhosts + 1) * sizeof(*h));
	h = &r->hosts[r->nhosts++];
	*h = (struct route_host){ .name = text_of(name), .port = 25,
	    .asked = LEVEL_CLEAR };
	h->addrs = calloc(8, sizeof(*h->addrs));
	if (name.n > 0 && name.p[0] == '/') {
		h->path = text_of(name);
		h->naddrs = 1;
		return;
	}
	for (ips = word(&rest); ips.n > 0 && h->naddrs < 8; h->naddrs++) {
		if (!addr_parse_ip(span_cut(&ips, ','), &h->addrs[h->naddrs]))
			fail("no address");
		h->addrs[h->naddrs].port = 25;
	}
	if (rest.n > 0 && !level_parse(rest, &h->asked))
		fail("no level");
	if (h->asked > LEVEL_CLEAR)
		h->why = WHY_RULE;
}

static struct span
unescape(struct span s, char *out)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '\\' || i + 1 == s.n) {
			out[n++] = s.p[i];
			continue;
		}
		switch (s.p[++i]) {
		case 'r':
			out[n++] = '\r';
			break;
		case 'n':
			out[n++] = '\n';
			break;
		case 't':
			out[n++] = '\t';
			break;
		case 'x': {
			char hex[3] = { s.p[i + 1], s.p[i + 2], '\0' };

			out[n++] = (char)strtoul(hex, NULL, 16);
			i += 2;
			break;
		}
		default:
			out[n++] = s.p[i];
		}
	}
	return span_of(out, n);
}

static void
act_rcpt(struct span rest)
{
	struct span address = word(&rest), notify = word(&rest);
	unsigned long long n = 0;
	char text[512];

	if (play.nrcpts == RCPTS_MAX)
		fail("too many recipients");
	if (notify.n > 0 && !span_u64(notify, NOTIFY_BITS, &n))
		fail("notify?");
	play.rcpts[play.nrcpts].address = text_of(unescape(address, text));
	play.rcpts[play.nrcpts].notify = (uint8_t)n;
	play.rcpts[play.nrcpts++].orcpt = text_of(rest);
}

static void
set_source(struct span text)
{
	struct conf_sending *s = &conf.relay.sending;
	struct addr a;

	if (!addr_parse_ip(text, &a))
		fail("no address");
	*(a.family == 6 ? &s->source6 : &s->source4) = a;
}

static void
set_body(struct span text, bool anew)
{
	char bytes[4096];

	if (anew)
		buf_reset(&play.body);
	if (buf_span(&play.body, unescape(text, bytes)) == -1)
		fail("body is too long");
}

static void
act_set(struct span rest)
{
	struct span what = word(&rest);
	static char ehlo[256];
	unsigned long long n;

	if (is(what, "tls-failed"))
		play.tls_failed = true;
	else if (is(what, "8bit"))
		play.flags |= ENVELOPE_8BIT;
	else if (is(what, "utf8"))
		play.flags |= ENVELOPE_SMTPUTF8;
	else if (is(what, "requiretls"))
		play.flags |= ENVELOPE_REQUIRETLS;
	else if (is(what, "ret"))
		play.flags |= is(rest, "full") ? ENVELOPE_RET_FULL :
		    ENVELOPE_RET_HDRS;
	else if (is(what, "lmtp"))
		play.route.lmtp = true;
	else if (is(what, "file"))
		play.as_file = true;
	else if (is(what, "sender"))
		play.sender[unescape(rest, play.sender).n] = '\0';
	else if (is(what, "envid"))
		play.envid[unescape(rest, play.envid).n] = '\0';
	else if (is(what, "probe"))
		play.probe = true;
	else if (is(what, "discard"))
		play.route.discard = true;
	else if (is(what, "site") && span_u64(rest, UINT32_MAX, &n))
		play.route.site = n;
	else if (is(what, "identity") && span_u64(rest, UINT32_MAX, &n))
		play.route.identity = n;
	else if (is(what, "size") && span_u64(rest, UINT32_MAX, &n))
		play.size = n;
	else if (is(what, "proven") && level_parse(rest, &play.proven))
		;
	else if (is(what, "body"))
		set_body(rest, true);
	else if (is(what, "lines") && span_u64(word(&rest), 1000000, &n))
		while (n-- > 0)
			set_body(rest, false);
	else if (is(what, "source"))
		set_source(rest);
	else if (is(what, "ehlo") && span_copy(rest, ehlo, sizeof(ehlo)))
		conf.relay.sending.ehlo_name = ehlo;
	else
		fail("set what?");
}

static struct channel *
wire_now(void)
{
	if (play.wire == NULL || play.wire->state == WIRE_CLOSED)
		fail("no open connection");
	return play.wire;
}

static void
quiet(void)
{
	struct span left = play.wire == NULL ? SPAN_NONE :
	    buf_get(&play.wire->out);

	if (left.n > 0)
		fail("sent and not expected: %.*s", SPAN_FMT(left));
}

static void
act_connect(struct span rest)
{
	struct span ip = word(&rest);
	char text[ADDR_TEXT_SIZE];

	quiet();
	if (play.wire == NULL || play.wire->state != WIRE_CONNECTING)
		play.wire = world.channels;
	if (play.wire == NULL || play.wire->state != WIRE_CONNECTING)
		fail("nothing is being connected");
	(void)addr_ip_text(&play.wire->to, text);
	if (!is(ip, play.wire->path[0] != '\0' ? play.wire->path : text))
		fail("connects to %s%s", text, play.wire->path);
	if (rest.n == 0)
		return;
	wire_connect(play.wire, is(rest, "ok"), is(rest, "refused") ?
	    "Connection refused" : "No route to host");
	world_settle();
}

static void
act_wire(struct span rest)
{
	unsigned long long n = 0;
	unsigned back;

	quiet();
	if (!span_u64(rest, world.opened, &n) || n == 0)
		fail("there were %u connections", world.opened);
	play.wire = world.channels;
	for (back = world.opened - (unsigned)n; back > 0; back--)
		play.wire = play.wire->next;
}

static void
act_count(struct span rest)
{
	unsigned long long n;

	if (!span_u64(rest, 1000, &n) || n != world.opened)
		fail("there were %u connections", world.opened);
}

static void
send_bytes(struct span s)
{
	struct channel *c = wire_now();

	if (c->state == WIRE_HANDSHAKE)
		fail("the handshake is on");
	wire_bytes(c, s);
}

static void
act_server_line(struct span rest)
{
	char line[4096];
	int n = snprintf(line, sizeof(line), "%.*s\r\n", SPAN_FMT(rest));

	send_bytes(span_of(line, (size_t)n));
}

static void
act_server_bytes(struct span rest)
{
	char bytes[4096];

	send_bytes(unescape(rest, bytes));
}

static void
act_server_repeat(struct span rest)
{
	unsigned long long n = 0;

	if (!span_u64(word(&rest), 1000000, &n))
		fail("how often?");
	while (n-- > 0 && play.wire->state != WIRE_CLOSED)
		act_server_line(rest);
}

static void
act_client_line(struct span rest)
{
	struct span out, line;
	char want[4096];

	if (play.wire == NULL)
		fail("no connection");
	rest = unescape(rest, want);
	out = buf_get(&play.wire->out);
	line = span_cut(&out, '\n');
	if (line.n == 0 || line.p[line.n - 1] != '\r' ||
	    !span_eq(span_head(line, line.n - 1), rest))
		fail("we sent: %.*s", SPAN_FMT(line));
	buf_consume(&play.wire->out, line.n + 1);
	world_settle();
}

static void
act_client_skip(struct span rest)
{
	unsigned long long n = 0;

	if (!span_u64(rest, UINT32_MAX, &n) || play.wire == NULL ||
	    play.wire->out.len < n)
		fail("we sent less");
	buf_consume(&play.wire->out, (size_t)n);
	world_settle();
}

static void
act_tls(struct span rest)
{
	struct span how = word(&rest);
	struct channel *c = wire_now();

	quiet();
	if (c->state != WIRE_HANDSHAKE)
		fail("no handshake was begun");
	if (c->reduced != is(rest, "reduced"))
		fail("ClientHello reduced: %d", c->reduced);
	if (is(how, "full"))
		c->resumes[0] = '\0';
	wire_secure(c, !is(how, "fail"), "handshake: fatal alert");
	world_settle();
}

static void
act_sni(struct span rest)
{
	if (!is(rest, wire_now()->sni))
		fail("SNI is \"%s\"", wire_now()->sni);
}

static void
act_resume(struct span rest)
{
	const char *got = wire_now()->resumes;

	if (!is(rest, got[0] == '\0' ? "none" : got))
		fail("the handshake resumes \"%s\"", got);
}

static void
act_ticket(struct span rest)
{
	if (!span_copy(rest, wire_now()->ticket, sizeof(wire_now()->ticket)))
		fail("too long");
}

static void
act_lost(struct span rest)
{
	bool none = play.lost_at == play.nlost;
	char got[128] = "NONE";

	if (!none)
		(void)snprintf(got, sizeof(got), "%s %s",
		    finding_name(play.lost[play.lost_at].finding),
		    play.lost[play.lost_at].addr);
	if (!is(rest, got))
		fail("policy was told %s", got);
	play.lost_at += !none;
}

static void
act_source(struct span rest)
{
	char text[ADDR_TEXT_SIZE];

	if (!is(rest, addr_ip_text(&wire_now()->source, text)))
		fail("the source is %s", text);
}

static void
act_close(struct span rest)
{
	(void)rest;
	wire_end(wire_now(), CHANNEL_EOF, NULL);
	world_settle();
}

static void
act_reset(struct span rest)
{
	(void)rest;
	wire_end(wire_now(), CHANNEL_ERROR, "Connection reset by peer");
	world_settle();
}

static void
act_closed(struct span rest)
{
	(void)rest;
	quiet();
	if (play.wire == NULL || play.wire->state != WIRE_CLOSED)
		fail("connection is open");
}

static void
act_open(struct span rest)
{
	(void)rest;
	quiet();
	(void)wire_now();
}

static void
act_drain(struct span rest)
{
	(void)rest;
	do {
		buf_reset(&wire_now()->out);
		world_settle();
	} while (wire_now()->out.len > 0);
}

static void
act_pass(struct span rest)
{
	unsigned long long n;
	uint64_t unit = 1;

	if (rest.n > 1 && rest.p[rest.n - 1] == 's') {
		unit = SECOND;
		rest = span_head(rest, rest.n - 1);
	}
	if (!span_u64(rest, 100000000, &n))
		fail("how long?");
	world_pass(n * unit);
}

/* ---- expectations ---- */

static const struct told *
told_of(const struct job *j, size_t rcpt)
{
	size_t i;

	for (i = 0; i < play.ntold; i++) {
		if (play.told[i].job == j && play.told[i].rcpt == rcpt)
			return &play.told[i];
	}
	fail("no fact was told of it");
}

static struct job *
last_job(void)
{
	if (play.njobs == 0)
		fail("no job");
	return play.jobs[play.njobs - 1];
}

static size_t
decided_rcpt(const struct job *j, struct span address)
{
	char text[512];
	size_t i = 0;

	address = unescape(address, text);
	while (i < j->nrcpts && !span_eq(j->rcpts[i].address, address))
		i++;
	if (i == j->nrcpts)
		fail("no such recipient");
	if (!j->rcpts[i].decided)
		fail("not decided");
	return i;
}

/* `got`, and words of the reply. */
static void
want_verdict(struct span want, const char *got, const struct job_rcpt *r)
{
	size_t n = strlen(got);
	char words[512];

	if (!span_eq(span_head(want, n), span_str(got)))
		fail("it is: %s (%s)", got, r->reply);
	(void)span_copy(span_trim(span_skip(want, n)), words, sizeof(words));
	if (strstr(r->reply, words) == NULL)
		fail("the reply is: %s", r->reply);
}

static void
act_duty(struct span rest)
{
	const struct job *j = last_job();
	const struct job_rcpt *r = &j->rcpts[decided_rcpt(j, word(&rest))];
	char got[64];

	(void)snprintf(got, sizeof(got), "passed=%d final=%d", r->dsn_passed,
	    r->final);
	if (!is(rest, got))
		fail("it is: %s", got);
}

static void
act_outcome(struct span rest)
{
	struct span address = word(&rest);
	const struct job *j = last_job();
	size_t i = decided_rcpt(j, address);
	const struct told *t = told_of(j, i);
	char got[256];

	(void)snprintf(got, sizeof(got), "%s %s %s %s",
	    outcome_name(j->rcpts[i].status), j->rcpts[i].dsn,
	    level_name(t->hop.reached), how_name(t->hop.how));
	want_verdict(rest, got, &j->rcpts[i]);
}

static void
act_found(struct span rest)
{
	struct span address = word(&rest);
	const struct job *j = last_job();
	size_t i = decided_rcpt(j, address);
	char got[256];

	if (j->rcpts[i].told)
		fail("the ledger was told of a probe");
	(void)snprintf(got, sizeof(got), "%s %s",
	    outcome_name(j->rcpts[i].status), j->rcpts[i].dsn);
	want_verdict(rest, got, &j->rcpts[i]);
}

static void
act_jobend(struct span rest)
{
	const struct job *j = last_job();
	char got[64];

	if (j->state != JOB_DECIDED)
		fail("not at its end");
	(void)snprintf(got, sizeof(got), "tls-failed=%d trouble=%d",
	    j->tls_failed, j->trouble);
	if (!is(rest, got))
		fail("it is: %s", got);
}

static void
act_pending(struct span rest)
{
	(void)rest;
	if (last_job()->nundecided == 0)
		fail("decided already");
}

static const struct {
	const char	*word;
	void		(*run)(struct span rest);
} acts[] = {
	{ "host", act_host }, { "rcpt", act_rcpt }, { "set", act_set },
	{ "JOB", act_job }, { "CONNECT", act_connect },
	{ "S:", act_server_line }, { "S>", act_server_bytes },
	{ "SREP", act_server_repeat }, { "C:", act_client_line },
	{ "CSKIP", act_client_skip }, { "DUTY", act_duty },
	{ "WIRE", act_wire }, { "COUNT", act_count }, { "TLS", act_tls }, { "SNI", act_sni },
	{ "RESUME", act_resume }, { "TICKET", act_ticket },
	{ "SOURCE", act_source }, { "CLOSE", act_close },
	{ "RESET", act_reset }, { "CLOSED", act_closed }, { "OPEN", act_open },
	{ "DRAIN", act_drain }, { "PASS", act_pass }, { "RCPT", act_outcome },
	{ "FOUND", act_found }, { "JOBEND", act_jobend }, { "PENDING", act_pending },
	{ "LOST", act_lost },
};

static void
run_line(struct span line)
{
	struct span rest = line, first;
	size_t i;

	if (line.n == 0 || line.p[0] == '#')
		return;
	first = span_cut(&rest, ' ');
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (!is(first, acts[i].word))
			continue;
		acts[i].run(rest);
		return;
	}
	fail("unknown: %.*s", SPAN_FMT(first));
}

static void
run_file(void)
{
	FILE *f = fopen(play.file, "r");
	char line[4096];

	if (f == NULL) {
		perror(play.file);
		exit(1);
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		play.line++;
		line[strcspn(line, "\n")] = '\0';
		run_line(span_str(line));
	}
	(void)fclose(f);
}

static void
finish(void)
{
	unsigned i;
	size_t k;

	quiet();
	for (k = 0; k < play.njobs; k++) {
		if (play.jobs[k]->state != JOB_DECIDED)
			fail("job %zu has no outcome", k + 1);
	}
	courier_close(&play.courier);
	for (k = 0; k < play.njobs; k++)
		job_free(&play.jobs[k]);
	if (play.courier.nsessions != 0)
		fail("%u connections are counted at the end",
		    play.courier.nsessions);
	for (i = 0; i < play.route.nhosts; i++) {
		free(play.route.hosts[i].name);
		free(play.route.hosts[i].addrs);
		free(play.route.hosts[i].path);
	}
	free(play.route.hosts);
	for (k = 0; k < play.nrcpts; k++) {
		free(play.rcpts[k].address);
		free(play.rcpts[k].orcpt);
	}
	buf_free(&play.body);
	world_free();
}

int
main(int argc, char **argv)
{
	struct courier_setup setup = {
		.ops = &courier_ops, .connect_ms = 30 * SECOND, .sessions = 4,
		.probe_sender = "double-bounce@me.test",
		.conf = &conf, .client = { .timeouts = {
			.greeting = 300 * SECOND, .command = 301 * SECOND,
			.data_start = 120 * SECOND, .data_block = 180 * SECOND,
			.data_end = 600 * SECOND, .handshake = 31 * SECOND } },
	};

	if (argc != 2) {
		(void)fprintf(stderr, "usage: replay FILE\n");
		return 2;
	}
	play.file = argv[1];
	play.route.site = 1;
	play.route.identity = 2;
	buf_init(&play.body, 4 * 1024 * 1024);
	(void)buf_str(&play.body, "hi\r\n");
	(void)span_copy(SPAN_LIT("s@x.org"), play.sender, sizeof(play.sender));
	log_set_level(LOG_ERROR);
	world_init();
	if (courier_init(&play.courier, &setup) == -1)
		return 1;
	run_file();
	finish();
	return 0;
}
