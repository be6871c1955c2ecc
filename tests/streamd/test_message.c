/* SPDX-License-Identifier: MIT */
#include "streamd/encode/message.h"

#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct span payload = {"{\"metrics\":{\"loss\":0.5},\"status\":\"running\"}", 43};

struct fixture {
    struct stats stats;
    struct encoder encoder;
};

static int setup(void **state)
{
    static struct fixture f;
    f.stats = (struct stats){0};
    *state = &f;
    return encoder_init(&f.encoder, &f.stats, true) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    encoder_fini(&f->encoder);
    return 0;
}

/* What a frame without a mask and with a short header carries. */
static struct span payload_of(const struct refbuf *frame)
{
    struct span s = refbuf_span(frame);
    size_t head = (unsigned char)s.ptr[1] == 126 ? 4 : 2;
    return (struct span){s.ptr + head, s.len - head};
}

static void each_form_has_its_bytes(void **state)
{
    struct fixture *f = *state;
    struct message m;
    message_init(&m, &f->encoder, "progress_update", payload, 17);
    assert_true(
        span_is(refbuf_span(message_form(&m, FORM_PACKET)),
                "42[\"progress_update\",{\"metrics\":{\"loss\":0.5},\"status\":\"running\"}]"));
    assert_true(span_is(refbuf_span(message_form(&m, FORM_SSE)),
                        "id: 17\nevent: progress_update\n"
                        "data: {\"metrics\":{\"loss\":0.5},\"status\":\"running\"}\n\n"));
    const struct refbuf *frame = message_form(&m, FORM_SOCKETIO);
    assert_int_equal((unsigned char)frame->bytes[0], 0x81); /* FIN, text */
    assert_true(span_eq(payload_of(frame), refbuf_span(message_form(&m, FORM_PACKET))));
    frame = message_form(&m, FORM_PLAIN);
    assert_int_equal((unsigned char)frame->bytes[0], 0x81);
    static const char envelope[] = "{\"event\":\"progress_update\",\"data\":"
                                   "{\"metrics\":{\"loss\":0.5},\"status\":\"running\"}}";
    assert_true(span_is(payload_of(frame), envelope));
    assert_true(span_is(refbuf_span(message_form(&m, FORM_PLAIN_DEFLATED)), envelope));
    assert_int_equal(form_finish(FORM_PLAIN_DEFLATED), FINISH_DEFLATE);
    assert_true(span_eq(refbuf_span(message_form(&m, FORM_SOCKETIO_DEFLATED)),
                        refbuf_span(message_form(&m, FORM_PACKET))));
    assert_int_equal(form_finish(FORM_SOCKETIO_DEFLATED), FINISH_DEFLATE);
    message_fini(&m);
}

static void marked_forms_end_with_the_serial(void **state)
{
    struct fixture *f = *state;
    struct message m;
    f->encoder.serial = 41;
    message_init(&m, &f->encoder, "e", SPAN("{\"x\":1}"), 0);
    assert_true(
        span_is(refbuf_span(message_form(&m, FORM_MARKED_PACKET)), "42[\"e\",{\"x\":1},\"42\"]"));
    assert_true(span_eq(payload_of(message_form(&m, FORM_MARKED_SOCKETIO)),
                        refbuf_span(message_form(&m, FORM_MARKED_PACKET))));
    assert_true(span_eq(refbuf_span(message_form(&m, FORM_MARKED_SOCKETIO_DEFLATED)),
                        refbuf_span(message_form(&m, FORM_MARKED_PACKET))));
    message_fini(&m);
    for (enum form form = FORM_PACKET; form <= FORM_SOCKETIO_DEFLATED; form++)
        assert_int_equal(form_unmarked(form_marked(form)), form);
}

static void a_form_is_built_once_and_shared(void **state)
{
    struct fixture *f = *state;
    struct refbuf *kept[FORMS];
    struct message m;
    message_init(&m, &f->encoder, "training_completed", payload, 0);
    for (enum form form = 0; form < FORMS; form++)
        kept[form] = refbuf_ref(message_form(&m, form));
    for (enum form form = 0; form < FORMS; form++) {
        assert_ptr_equal(message_form(&m, form), kept[form]);
        assert_int_equal(kept[form]->refs, 2);
    }
    assert_int_equal(f->stats.deflates, 0); /* nobody has asked for the bytes yet */
    message_fini(&m);                       /* the bytes outlive the message */
    for (enum form form = 0; form < FORMS; form++) {
        assert_int_equal(kept[form]->refs, 1);
        assert_true(kept[form]->len > 0);
        refbuf_unref(kept[form]);
    }
}

static void an_event_without_an_offset_has_no_id(void **state)
{
    struct fixture *f = *state;
    struct message m;
    message_init(&m, &f->encoder, "training_started", SPAN("{}"), 0);
    assert_true(
        span_is(refbuf_span(message_form(&m, FORM_SSE)), "event: training_started\ndata: {}\n\n"));
    assert_int_equal(message_plain_bytes(&m), strlen("training_started") + 2);
    message_fini(&m);
}

static void a_frame_may_be_large(void **state)
{
    static char text[200000];
    struct fixture *f = *state;
    struct message m;
    memset(text, 'x', sizeof(text));
    message_init(&m, &f->encoder, "e", (struct span){text, sizeof(text)}, 0);
    const struct refbuf *frame = message_form(&m, FORM_PLAIN);
    assert_int_equal((unsigned char)frame->bytes[1], 127);
    assert_int_equal(frame->len, 10 + strlen("{\"event\":\"e\",\"data\":}") + sizeof(text));
    message_fini(&m);
}

static void want_of_memory_gives_no_form_and_no_leak(void **state)
{
    (void)state;
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct stats stats = {0};
        struct encoder e;
        struct message m;
        unsigned built = 0;
        bool ready = encoder_init(&e, &stats, true) == OK;
        if (ready) {
            message_init(&m, &e, "progress_update", payload, 1);
            for (enum form form = 0; form < FORMS; form++)
                built += message_form(&m, form) != NULL;
            assert_true(built >= FORMS - 1); /* the failure costs one */
            for (enum form form = 0; form < FORMS; form++)
                assert_non_null(message_form(&m, form)); /* and is made good when asked again */
            message_fini(&m);
        }
        encoder_fini(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_form_has_its_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(marked_forms_end_with_the_serial, setup, teardown),
        cmocka_unit_test_setup_teardown(a_form_is_built_once_and_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_without_an_offset_has_no_id, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_may_be_large, setup, teardown),
        cmocka_unit_test(want_of_memory_gives_no_form_and_no_leak),
    };
    return cmocka_run_group_tests_name("streamd/message", tests, NULL, NULL);
}
