/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/transfer.c - the stream of an export: what is written is
 * read, whatever the pieces, and nothing that was changed is taken for whole. */
#include <check.h>
#include <stdio.h>

#include "base/crc32c.h"
#include "queue/bytes.h"
#include "queue/transfer.h"
#include "tests/unit/suite.h"

#define ID_A	"aaaaaaaaaaaaaaaa"
#define ID_B	"bbbbbbbbbbbbbbbb"
#define ID_C	"cccccccccccccccc"

struct piece {
	const char	*id, *body;
	uint8_t		 flags, state;
	const char	*address;
};

static const struct piece pieces[] = {
	{ ID_A, "Subject: a\r\n\r\none\r\n", 0, RCPT_HELD, "a@x.example" },
	{ ID_B, "", RECORD_BOUNCE, RCPT_HELD, "b@x.example" },
	{ ID_C, "a body in a file\r\n", RECORD_IN_FILE, RCPT_HELD,
	    "c@x.example" },
};
#define PIECES	(sizeof(pieces) / sizeof(pieces[0]))

static void
put_head(struct buf *head, const struct piece *p)
{
	struct span text = span_str(p->body);
	struct record_rcpt rcpt = { .address = span_str(p->address),
	    .orcpt = SPAN_NONE };
	struct record_change c = { .state = p->state, .attempts = 7,
	    .site = SPAN_LIT("mx.x.example"), .reply = SPAN_LIT("450 later"),
	    .dsn = SPAN_LIT("4.2.0"), .mx = SPAN_NONE };
	struct record_message m = { .id = span_str(p->id), .flags = p->flags,
	    .arrived = 1000, .size = text.n, .running = 500,
	    .sender = SPAN_LIT("s@y.example"), .client = SPAN_LIT("192.0.2.1"),
	    .session = SPAN_LIT(ID_A), .envid = SPAN_LIT("QQ"), .nrcpts = 1,
	    .sum = crc32c(0, text.p, text.n) };
	struct buf list;

	buf_init(&list, 4096);
	ck_assert_int_eq(record_put_rcpt(&list, &rcpt, &c), 0);
	m.rcpts = buf_get(&list);
	if ((p->flags & RECORD_IN_FILE) == 0)
		m.body = text;
	ck_assert_int_eq(record_put_message(head, &m), 0);
	buf_free(&list);
}

static void
put_piece(struct buf *b, uint64_t number, const struct piece *p)
{
	char header[TRANSFER_HEADER], sum[TRANSFER_SUM];
	struct buf head;

	buf_init(&head, 4096);
	put_head(&head, p);
	transfer_put_message(number, buf_get(&head), strlen(p->body), header);
	(void)buf_add(b, header, sizeof(header));
	(void)buf_span(b, buf_get(&head));
	(void)buf_str(b, p->body);
	le_put(sum, crc32c(0, p->body, strlen(p->body)), 4);
	(void)buf_add(b, sum, sizeof(sum));
	buf_free(&head);
}

static void
put_stream(struct buf *b, const struct piece *list, size_t n)
{
	char end[TRANSFER_HEADER];

	buf_init(b, 65536);
	(void)buf_str(b, TRANSFER_BEGIN);
	for (size_t i = 0; i < n; i++)
		put_piece(b, i + 1, &list[i]);
	transfer_put_end(n + 1, end);
	ck_assert_int_eq(buf_add(b, end, sizeof(end)), 0);
}

/* What a reader saw: "+" whole, "-" spoilt, "." the end, "!" lost. */
struct seen {
	char		 steps[16];
	size_t		 n;
	char		 whole[PIECES][64];	/* id and body of each */
	size_t		 nwhole;
	const char	*why;
	struct buf	 body;
};

static void
see(struct seen *s, struct transfer *t, enum transfer_step step,
    struct span piece)
{
	char mark = 0;

	switch (step) {
	case TRANSFER_MESSAGE:
		buf_reset(&s->body);
		break;
	case TRANSFER_BODY:
		(void)buf_span(&s->body, piece);
		break;
	case TRANSFER_WHOLE:
		ck_assert_uint_lt(s->nwhole, PIECES);
		snprintf(s->whole[s->nwhole++], sizeof(s->whole[0]), "%.*s %s",
		    SPAN_FMT(t->message.id), buf_cstr(&s->body));
		mark = '+';
		break;
	case TRANSFER_SPOILT:
		mark = '-';
		break;
	case TRANSFER_END:
		mark = '.';
		break;
	case TRANSFER_LOST:
		mark = '!';
		break;
	case TRANSFER_WANTS:
		break;
	}
	if (step == TRANSFER_SPOILT || step == TRANSFER_LOST)
		s->why = t->why;
	if (mark != 0 && s->n + 1 < sizeof(s->steps))
		s->steps[s->n++] = mark;
}

static void
read_in(struct seen *s, struct span all, size_t each)
{
	enum transfer_step step = TRANSFER_WANTS;
	struct transfer t;

	memset(s, 0, sizeof(*s));
	buf_init(&s->body, 4096);
	transfer_init(&t);
	while (all.n > 0 && step != TRANSFER_LOST) {
		struct span in = span_head(all, each), piece = SPAN_NONE;

		all = span_skip(all, in.n);
		do {
			step = transfer_next(&t, &in, &piece);
			see(s, &t, step, piece);
		} while (step != TRANSFER_WANTS && step != TRANSFER_LOST);
	}
	transfer_free(&t);
	buf_free(&s->body);
}

START_TEST(what_is_written_is_read)
{
	static const size_t each[] = { 1, 2, 3, 7, 31, 64, 65536 };
	struct seen s;
	struct buf b;

	put_stream(&b, pieces, PIECES);
	read_in(&s, buf_get(&b), each[_i]);
	ck_assert_str_eq(s.steps, "+++.");
	for (size_t i = 0; i < PIECES; i++) {
		char want[64];

		snprintf(want, sizeof(want), "%s %s", pieces[i].id,
		    pieces[i].body);
		ck_assert_str_eq(s.whole[i], want);
	}
	buf_free(&b);
}
END_TEST

static bool
one_of_ours(const char *whole)
{
	char ours[64];

	for (size_t i = 0; i < PIECES; i++) {
		snprintf(ours, sizeof(ours), "%s %s", pieces[i].id,
		    pieces[i].body);
		if (strcmp(ours, whole) == 0)
			return true;
	}
	return false;
}

/* Each byte changed, one after the other: what is whole is as it was, and of
 * what is not, there is a word. */
START_TEST(no_change_goes_unseen)
{
	struct seen s;
	struct buf b;
	char *p;

	put_stream(&b, pieces, PIECES);
	p = b.mem + b.off;
	for (size_t i = 0; i < b.len; i++) {
		p[i] = (char)(p[i] ^ (1 << _i));
		read_in(&s, buf_get(&b), 65536);
		ck_assert_msg(strcspn(s.steps, "-!") < s.n,
		    "byte %zu: %s", i, s.steps);
		for (size_t k = 0; k < s.nwhole; k++)
			ck_assert_msg(one_of_ours(s.whole[k]),
			    "byte %zu made %s", i, s.whole[k]);
		p[i] = (char)(p[i] ^ (1 << _i));
	}
	buf_free(&b);
}
END_TEST

START_TEST(no_cut_looks_like_an_end)
{
	struct seen s;
	struct buf b;

	put_stream(&b, pieces, PIECES);
	for (size_t i = 0; i < b.len; i++) {
		read_in(&s, span_head(buf_get(&b), i), 65536);
		ck_assert_ptr_null(strpbrk(s.steps, ".!-"));
	}
	(void)buf_char(&b, 'x');
	read_in(&s, buf_get(&b), 1);
	ck_assert_str_eq(s.steps, "+++.!");
	ck_assert_str_eq(s.why, "something follows its end");
	buf_free(&b);
}
END_TEST

/* A good stream of what is no message for a queue: that one alone is left. */
static const struct {
	struct piece	 piece;
	const char	*why;
} bad[] = {
	{ { ID_A, "x", 0, RCPT_DEFERRED, "a@x.example" },
	    "a recipient is not held" },
	{ { ID_A, "x", 0, RCPT_DELIVERED, "a@x.example" },
	    "a recipient is not held" },
	{ { ID_A, "x", 0, RCPT_HELD, "" }, "a recipient's address is none" },
	/* It would be a command of its own: RFC 5321 sec 4.1.1.3. */
	{ { ID_A, "x", 0, RCPT_HELD, "a@x.example>\r\nDATA" },
	    "a recipient's address is none" },
	{ { ID_A, "x", 128, RCPT_HELD, "a@x.example" },
	    "it has flags of a newer version" },
	{ { "NOT-AN-ID.......", "x", 0, RCPT_HELD, "a@x.example" },
	    "its head is none" },
};

START_TEST(what_is_no_message_is_left_out)
{
	struct piece list[] = { pieces[2], bad[_i].piece, pieces[0] };
	struct seen s;
	struct buf b;

	put_stream(&b, list, 3);
	read_in(&s, buf_get(&b), 5);
	ck_assert_str_eq(s.steps, "+-+.");
	ck_assert_str_eq(s.why, bad[_i].why);
	buf_free(&b);
}
END_TEST

START_TEST(a_missing_message_is_noticed)
{
	char end[TRANSFER_HEADER];
	struct seen s;
	struct buf b;

	buf_init(&b, 65536);
	(void)buf_str(&b, TRANSFER_BEGIN);
	put_piece(&b, 1, &pieces[0]);
	put_piece(&b, 3, &pieces[2]);
	transfer_put_end(4, end);
	(void)buf_add(&b, end, sizeof(end));
	read_in(&s, buf_get(&b), 65536);
	ck_assert_str_eq(s.steps, "+!");
	ck_assert_str_eq(s.why, "a message is missing or comes twice");
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue transfer");
	TCase *t = tcase_create("transfer");

	tcase_add_loop_test(t, what_is_written_is_read, 0, 7);
	tcase_add_loop_test(t, no_change_goes_unseen, 0, 8);
	tcase_add_test(t, no_cut_looks_like_an_end);
	tcase_add_loop_test(t, what_is_no_message_is_left_out, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, a_missing_message_is_noticed);
	suite_add_tcase(s, t);
	return suite_run(s);
}
