/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/control_call.c - see control.h: the side of the CLI.  Blocks; never
 * used by a role. */
#include "base/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

#define EXIT_UNAVAILABLE	69	/* the contract's: daemon not running */
#define ANSWER_WAIT_S		60
/* What a role queues at most is one line at most. */
#define ANSWER_MAX		(CONTROL_QUEUE_MAX + 1)
#define READ_CHUNK		(64 * 1024)

struct control_session {
	int		fd;
	struct buf	in;
	const char	*name;
	/* of the request that is being answered */
	void		(*line)(void *, const json_t *);
	void		*arg;
	bool		ended;		/* the last line came: rc holds */
	int		rc;
};

static int
call_connect(const struct conf *conf, const char *name, struct fault *f)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	int fd, n;

	n = snprintf(sun.sun_path, sizeof sun.sun_path, "%s/%s",
	    conf->control_directory, name);
	if (n < 0 || (size_t)n >= sizeof sun.sun_path)
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s is too long for the name of a socket",
		    conf->control_directory, name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fault_sys(f, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
		fault_set(f, FAULT_TEMP, 0, "",
		    "nobody listens on %s: is sealane running?", sun.sun_path);
	else if (errno == EACCES || errno == EPERM)
		fault_set(f, FAULT_PERM, 0, "", "no permission to use %s: run "
		    "this as root or as a member of its group", sun.sun_path);
	else
		fault_sys(f, sun.sun_path);
	close(fd);
	return -1;
}

static int
call_send(int fd, const json_t *request, struct fault *f)
{
	char *text = json_dumps(request, JSON_COMPACT);
	struct span rest = span_str(text);
	ssize_t n = 0;

	if (text == NULL)
		return fault_set(f, FAULT_TEMP, 0, "",
		    "the request could not be made");
	/* Its NUL is sent as the newline that ends a request. */
	text[rest.n++] = '\n';
	while (rest.n > 0) {
		n = send(fd, rest.p, rest.n, MSG_NOSIGNAL);
		if (n > 0)
			rest = span_skip(rest, (size_t)n);
		else if (errno != EINTR)
			break;
	}
	free(text);
	/* Closed before it read all: what it said before that, "too many
	 * clients" for one, is the better answer, so go and read it. */
	if (rest.n == 0 || errno == EPIPE || errno == ECONNRESET)
		return 0;
	return fault_sys(f, "the request was not taken");
}

/* The last line of an answer is {"done":true} or {"error":text,"exit":N}. */
static bool
call_is_last(struct control_session *c, const json_t *answer, struct fault *f)
{
	const json_t *error = json_object_get(answer, "error");
	const json_t *code = json_object_get(answer, "exit");

	if (json_object_size(answer) == 1 &&
	    json_is_true(json_object_get(answer, "done"))) {
		c->rc = 0;
		return true;
	}
	if (json_object_size(answer) != 2 || !json_is_string(error) ||
	    !json_is_integer(code))
		return false;
	fault_set(f, FAULT_PERM, 0, "", "%s", json_string_value(error));
	c->rc = (int)json_integer_value(code);
	if (c->rc < 1 || c->rc > 255)
		c->rc = 1;
	return true;
}

/* Every whole line in the buffer.  -1: not our protocol. */
static int
call_lines(struct control_session *c, size_t scanned, struct fault *f)
{
	struct span in;
	const char *end;
	json_t *answer;

	while (!c->ended) {
		in = buf_get(&c->in);
		end = in.n <= scanned ? NULL :
		    memchr(in.p + scanned, '\n', in.n - scanned);
		if (end == NULL)
			return 0;
		answer = json_loadb(in.p, (size_t)(end - in.p),
		    JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(answer)) {
			json_decref(answer);
			return fault_set(f, FAULT_TEMP, 0, "",
			    "%s answered something that is not a JSON object",
			    c->name);
		}
		if (call_is_last(c, answer, f))
			c->ended = true;
		else if (c->line != NULL)
			c->line(c->arg, answer);
		json_decref(answer);
		buf_consume(&c->in, (size_t)(end - in.p) + 1);
		scanned = 0;
	}
	return 0;
}

static int
call_receive(struct control_session *c, struct fault *f)
{
	size_t before;
	ssize_t n;
	char *at;

	while (!c->ended) {
		at = buf_room(&c->in, READ_CHUNK);
		if (at == NULL)
			return fault_set(f, FAULT_TEMP, 0, "",
			    "%s sent an answer that is too long", c->name);
		n = recv(c->fd, at, READ_CHUNK, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return fault_set(f, FAULT_TEMP, 0, "",
			    "%s gave no answer within %d seconds", c->name,
			    ANSWER_WAIT_S);
		if (n == -1 && errno != ECONNRESET)
			return fault_sys(f, c->name);
		if (n <= 0)
			return fault_set(f, FAULT_TEMP, 0, "",
			    "%s ended the connection before it had answered",
			    c->name);
		before = c->in.len;
		buf_grown(&c->in, (size_t)n);
		if (call_lines(c, before, f) == -1)
			return -1;
	}
	return 0;
}

struct control_session *
control_begin(const struct conf *conf, const char *name, struct fault *f)
{
	struct control_session *c = calloc(1, sizeof *c);

	if (c == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		return NULL;
	}
	buf_init(&c->in, ANSWER_MAX + READ_CHUNK);
	c->name = name;
	c->fd = call_connect(conf, name, f);
	if (c->fd == -1)
		control_end(&c);
	return c;
}

int
control_ask(struct control_session *c, json_t *request,
    void (*line)(void *arg, const json_t *answer), void *arg, struct fault *f)
{
	c->line = line;
	c->arg = arg;
	c->ended = false;
	c->rc = EXIT_UNAVAILABLE;
	if (call_send(c->fd, request, f) == -1 || call_receive(c, f) == -1)
		c->rc = EXIT_UNAVAILABLE;
	json_decref(request);
	return c->rc;
}

void
control_end(struct control_session **cp)
{
	struct control_session *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	if (c->fd != -1)
		close(c->fd);
	buf_free(&c->in);
	free(c);
}

int
control_call(const struct conf *conf, const char *name, json_t *request,
    void (*line)(void *arg, const json_t *answer), void *arg, struct fault *f)
{
	struct control_session *c = control_begin(conf, name, f);
	int rc = EXIT_UNAVAILABLE;

	if (c == NULL)
		json_decref(request);
	else
		rc = control_ask(c, request, line, arg, f);
	control_end(&c);
	return rc;
}
