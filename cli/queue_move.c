/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue_move.c - `sealane queue export` and `import`: a stream of messages
 * to standard output, or from standard input.  What the stream is made of only
 * the queue knows (queue/transfer.h); what there is to say goes to stderr. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "cli/queue_impl.h"

#define PIECE_MAX	(16u * 1024 * 1024)	/* of one answer */
#define DATA		(40u * 1024)		/* of one request */
#define TOGETHER	1000			/* ids of one request */
#define NAMES		50			/* or so many addresses */

static json_int_t
number_in(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* ---- export ---- */

struct exporting {
	json_t	*ids;		/* of messages that went out */
	json_t	*parts;		/* of those of which a part did */
	json_t	*answer;	/* the last line */
	int	 rc;
};

static void
take_stream(void *arg, const json_t *line)
{
	const json_t *v = json_object_get(line, "stream");
	struct exporting *e = arg;
	struct buf piece;

	if (json_object_get(line, "count") != NULL)
		e->answer = json_incref((json_t *)(uintptr_t)line);
	if (v == NULL || e->rc != CLI_OK)
		return;
	(void)json_array_extend(e->ids, json_object_get(line, "ids"));
	(void)json_array_extend(e->parts, json_object_get(line, "parts"));
	buf_init(&piece, PIECE_MAX);
	if (base64_get(&piece, span_of(json_string_value(v),
	    json_string_length(v))) == -1)
		e->rc = cli_fail("a piece of the export is no base64");
	else if (piece.len > 0 &&
	    fwrite(buf_get(&piece).p, 1, piece.len, stdout) != piece.len)
		e->rc = cli_fail("cannot write to standard output");
	buf_free(&piece);
}

static void
complain(const json_t *answer)
{
	json_int_t left = number_in(answer, "left"),
	    busy = number_in(answer, "busy");
	json_t *id;
	size_t i;

	if (left > 0)
		(void)cli_fail("%lld recipients are not held and stay here: "
		    "hold them first", (long long)left);
	if (busy > 0)
		(void)cli_fail("%lld recipients are being sent to just now and "
		    "stay here", (long long)busy);
	json_array_foreach(json_object_get(answer, "unreadable"), i, id)
		(void)cli_fail("the message %.64s can't be read and stays here",
		    json_string_value(id));
	json_array_foreach(json_object_get(answer, "missing"), i, id)
		(void)cli_fail("no message with the id %.64s",
		    json_string_value(id));
}

static bool
all_well(const json_t *answer)
{
	return number_in(answer, "left") == 0 &&
	    number_in(answer, "busy") == 0 &&
	    json_array_size(json_object_get(answer, "unreadable")) == 0 &&
	    json_array_size(json_object_get(answer, "missing")) == 0;
}

/* Only for a file: what goes into a pipe may have reached nobody. */
static int
check_output(bool drop)
{
	struct stat st;

	if (isatty(STDOUT_FILENO))
		return cli_usage("queue: an export is not for a terminal; send "
		    "it to a file or a pipe");
	if (drop && (fstat(STDOUT_FILENO, &st) == -1 || !S_ISREG(st.st_mode)))
		return cli_usage("queue: --drop is for an export to a file; "
		    "behind a pipe use queue drop when the import is done");
	return CLI_OK;
}

struct dropping {
	const struct conf *conf;
	json_int_t	 recipients;	/* so far */
};

static void
take_dropped(void *arg, const json_t *line)
{
	((struct dropping *)arg)->recipients += number_in(line, "recipients");
}

/* The recipients that `request` means, in steps of some values of its list
 * `key`: a request has a bound. */
static int
drop_some(struct dropping *d, const json_t *request, const char *key, size_t n)
{
	const json_t *list = json_object_get(request, key);
	int rc = CLI_OK;

	for (size_t at = 0; at < json_array_size(list) && rc == CLI_OK;
	    at += n) {
		json_t *r = json_copy((json_t *)(uintptr_t)request),
		    *some = json_array();

		for (size_t i = at; i < at + n && i < json_array_size(list);
		    i++)
			(void)json_array_append(some, json_array_get(list, i));
		(void)json_object_set_new(r, key, some);
		rc = queue_ask(d->conf, r, take_dropped, d);
	}
	return rc;
}

/* What went out, and no others, although more may be held by now; and what is
 * not held any more stays. */
static int
drop(const struct conf *conf, const json_t *selection,
    const struct exporting *e)
{
	json_int_t all = number_in(e->answer, "recipients");
	json_t *r = json_copy((json_t *)(uintptr_t)selection), *part;
	struct dropping d = { .conf = conf };
	size_t i;
	int rc;

	(void)json_object_set_new(r, "cmd", json_string("drop"));
	(void)json_object_set_new(r, "states", json_pack("[s]", "held"));
	(void)json_object_set(r, "ids", e->ids);
	rc = drop_some(&d, r, "ids", TOGETHER);
	json_array_foreach(e->parts, i, part) {
		if (rc != CLI_OK)
			break;
		(void)json_object_update(r, part);
		rc = drop_some(&d, r, "recipients", NAMES);
	}
	json_decref(r);
	fprintf(stderr, "%lld %s dropped here\n", (long long)d.recipients,
	    d.recipients == 1 ? "recipient" : "recipients");
	if (rc == CLI_OK && d.recipients != all)
		rc = cli_fail("%lld recipients were exported and stay here",
		    (long long)(all - d.recipients));
	return rc;
}

static int
finish_export(const struct conf *conf, struct queue_args *a,
    const struct exporting *e)
{
	json_int_t n = number_in(e->answer, "count");
	struct stat st;

	if (e->answer == NULL)
		return cli_fail("queue: the answer has no count");
	if (fflush(stdout) == EOF || ferror(stdout) ||
	    (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    fsync(STDOUT_FILENO) == -1))
		return cli_fail("cannot write to standard output: %s",
		    strerror(errno));
	fprintf(stderr, "%lld %s exported\n", (long long)n,
	    n == 1 ? "message" : "messages");
	complain(e->answer);
	if (a->drop && drop(conf, a->request, e) != CLI_OK)
		return CLI_BAD;
	return all_well(e->answer) ? CLI_OK : CLI_BAD;
}

int
queue_export(const struct conf *conf, struct queue_args *a)
{
	struct exporting e = { .rc = check_output(a->drop) };
	int rc;

	if (e.rc != CLI_OK)
		return e.rc;
	e.ids = json_array();
	e.parts = json_array();
	rc = queue_ask(conf, json_incref(a->request), take_stream, &e);
	if (rc == CLI_OK)
		rc = e.rc;
	if (rc == CLI_OK)
		rc = finish_export(conf, a, &e);
	json_decref(e.ids);
	json_decref(e.parts);
	json_decref(e.answer);
	return rc;
}

/* ---- import ---- */

struct importing {
	json_t	*answer;	/* the last line */
};

static void
take_import(void *arg, const json_t *line)
{
	const char *why = json_string_value(json_object_get(line, "refused"));
	struct importing *im = arg;

	if (json_object_get(line, "count") != NULL)
		im->answer = json_incref((json_t *)(uintptr_t)line);
	else if (why != NULL)
		(void)cli_fail("message %lld (%.64s) is not taken: %.400s",
		    (long long)number_in(line, "number"),
		    json_string_value(json_object_get(line, "id")), why);
}

/* The next request; its "eof" says that it was the last. */
static int
next_request(json_t **request, bool *eof)
{
	static char bytes[DATA];
	struct buf text;
	size_t n = 0;
	ssize_t got;

	do {
		got = read(STDIN_FILENO, bytes + n, sizeof(bytes) - n);
		if (got > 0)
			n += (size_t)got;
	} while ((got > 0 && n < sizeof(bytes)) ||
	    (got == -1 && errno == EINTR));
	if (got == -1)
		return cli_fail("cannot read standard input: %s",
		    strerror(errno));
	*eof = n == 0;
	buf_init(&text, 2 * DATA);
	(void)base64_put(&text, span_of(bytes, n));
	*request = *eof ? json_pack("{s:s, s:b}", "cmd", "import", "eof", 1) :
	    json_pack("{s:s, s:o}", "cmd", "import", "data",
	    json_stringn(buf_get(&text).p, buf_get(&text).n));
	buf_free(&text);
	return CLI_OK;
}

static int
send_all(struct control_session *s, struct importing *im)
{
	struct fault f = { 0 };
	json_t *request = NULL;
	bool eof = false;
	int rc = CLI_OK;

	while (!eof && rc == CLI_OK) {
		rc = next_request(&request, &eof);
		if (rc != CLI_OK)
			return rc;
		rc = control_ask(s, request, take_import, im, &f);
	}
	if (rc != CLI_OK)
		(void)cli_fail("%s", f.text);
	return rc;
}

static int
say(const json_t *answer, bool json)
{
	json_int_t n = number_in(answer, "count"),
	    known = number_in(answer, "known");

	if (json)
		return cli_json(json_incref((json_t *)(uintptr_t)answer));
	printf("%lld %s taken and held", (long long)n,
	    n == 1 ? "message" : "messages");
	if (known > 0)
		printf(", %lld here already", (long long)known);
	putchar('\n');
	return fflush(stdout) == EOF ?
	    cli_fail("cannot write to standard output") : CLI_OK;
}

int
queue_import(const struct conf *conf, struct queue_args *a)
{
	struct importing im = { .answer = NULL };
	struct control_session *s;
	struct fault f = { 0 };
	int rc, said = CLI_OK;

	if (isatty(STDIN_FILENO))
		return cli_usage("queue: an import reads an export from "
		    "standard input");
	s = control_begin(conf, "queue", &f);
	if (s == NULL) {
		(void)cli_fail("%s", f.text);
		return CLI_NOT_RUNNING;
	}
	rc = send_all(s, &im);
	control_end(&s);
	if (im.answer != NULL)
		said = say(im.answer, a->json);
	if (rc == CLI_OK && !json_is_true(json_object_get(im.answer,
	    "complete")))
		rc = cli_fail("the export has no end: what came of it is taken; "
		    "run the import of a whole one");
	if (rc == CLI_OK && number_in(im.answer, "refused") > 0)
		rc = CLI_BAD;
	json_decref(im.answer);
	return rc != CLI_OK ? rc : said;
}
