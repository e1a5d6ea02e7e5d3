/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/job.c - hosts, recipients and settings of a script, and the
 * job made of them. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/replay/relay/play.h"

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
		wrong("no file");
	return fd;
}

void
act_job(const char *arg)
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

	(void)arg;
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
		wrong("job not taken");
	if (play.size != 0)
		j->body.size = play.size;
	buf_free(&list);
	copy_route(&j->route);
	play.jobs[play.njobs++] = j;
	courier_take(&play.courier, j);
	world_settle();
}

/* ---- what it is made of ---- */

void
act_host(const char *arg)
{
	struct span rest = span_str(arg);
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
			wrong("no address");
		h->addrs[h->naddrs].port = 25;
	}
	if (rest.n > 0 && !level_parse(rest, &h->asked))
		wrong("no level");
	if (h->asked > LEVEL_CLEAR)
		h->why = WHY_RULE;
}

void
act_rcpt(const char *arg)
{
	struct span rest = span_str(arg);
	struct span address = word(&rest), notify = word(&rest);
	unsigned long long n = 0;
	char text[512];

	if (play.nrcpts == RCPTS_MAX)
		wrong("too many recipients");
	if (notify.n > 0 && !span_u64(notify, NOTIFY_BITS, &n))
		wrong("notify?");
	play.rcpts[play.nrcpts].address = text_of(plain(address, text));
	play.rcpts[play.nrcpts].notify = (uint8_t)n;
	play.rcpts[play.nrcpts++].orcpt = text_of(rest);
}

static void
set_source(struct span text)
{
	struct conf_sending *s = &play.conf.relay.sending;
	struct addr a;

	if (!addr_parse_ip(text, &a))
		wrong("no address");
	*(a.family == 6 ? &s->source6 : &s->source4) = a;
}

static void
set_body(struct span text, bool anew)
{
	char bytes[4096];

	if (anew)
		buf_reset(&play.body);
	if (buf_span(&play.body, plain(text, bytes)) == -1)
		wrong("body is too long");
}

void
act_set(const char *arg)
{
	struct span rest = span_str(arg);
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
	else if (is(what, "found"))
		play.route.found = true;
	else if (is(what, "lmtp"))
		play.route.lmtp = true;
	else if (is(what, "file"))
		play.as_file = true;
	else if (is(what, "sender"))
		play.sender[plain(rest, play.sender).n] = '\0';
	else if (is(what, "envid"))
		play.envid[plain(rest, play.envid).n] = '\0';
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
		play.conf.relay.sending.ehlo_name = ehlo;
	else
		wrong("set what?");
}
