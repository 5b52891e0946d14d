// Everything a request head or a chunked body can be refused for.
//
// One constant for each, so that the reason labels of the metric are a closed set.
#pragma once

#include "host/http/wire/head.hpp"

namespace plexsphere::host::http::wire {

inline constexpr std::string_view kMalformed = "malformed_request";
inline constexpr std::string_view kFieldsTooLarge = "request_header_fields_too_large";

// Bytes that may stand nowhere.
inline constexpr Fault kTlsOnPlain{400, kMalformed,
                                   "The connection begins with a TLS handshake, but this listener "
                                   "speaks plain HTTP: use http://, or a TLS listener.",
                                   "tls_on_plain_listener"};
inline constexpr Fault kNul{400, kMalformed, "The request head contains a NUL byte.", "nul"};
inline constexpr Fault kBareCr{400, kMalformed, "A carriage return is not followed by a line feed.",
                               "bare_cr"};
inline constexpr Fault kBareLf{400, kMalformed,
                               "A line ends with a line feed alone instead of CRLF.", "bare_lf"};
inline constexpr Fault kControl{400, kMalformed, "The request head contains a control character.",
                                "control_character"};

// Request line.
inline constexpr Fault kEmptyLines{
    400, kMalformed, "More than one empty line precedes the request line.", "empty_lines"};
inline constexpr Fault kNonAscii{
    400, kMalformed, "The request line contains a byte beyond ASCII; percent-encode it.",
    "non_ascii"};
inline constexpr Fault kBadMethod{400, kMalformed, "The request method is not a token.",
                                  "bad_method"};
inline constexpr Fault kLongMethod{501, "method_not_implemented",
                                   "The request method is longer than 32 bytes.", "long_method"};
inline constexpr Fault kBadRequestLine{
    400, kMalformed, "The request line is not: method, one space, target, one space, version.",
    "bad_request_line"};
inline constexpr Fault kBadTarget{400, kMalformed,
                                  "The request target is neither a path beginning with '/', nor an "
                                  "absolute http URI with a path, nor '*' with OPTIONS.",
                                  "bad_target"};
inline constexpr Fault kBadTargetByte{
    400, kMalformed,
    "The request target contains a character that has no place there; percent-encode it.",
    "bad_target_character"};
inline constexpr Fault kLongTarget{
    414, "uri_too_long", "The request target is longer than this server accepts.", "long_target"};
inline constexpr Fault kBadVersion{
    400, kMalformed, "The request line does not end with an HTTP version.", "bad_version"};
inline constexpr Fault kOtherVersion{505, "http_version_not_supported",
                                     "This server speaks HTTP/1.1 and HTTP/1.0.", "http_version"};

// Field lines.
inline constexpr Fault kObsFold{
    400, kMalformed, "A header line begins with white space (obsolete line folding).", "obs_fold"};
inline constexpr Fault kNoColon{400, kMalformed, "A header line has no colon.", "no_colon"};
inline constexpr Fault kSpaceBeforeColon{400, kMalformed,
                                         "White space stands between a header name and its colon.",
                                         "space_before_colon"};
inline constexpr Fault kBadName{400, kMalformed, "A header name is empty or not a token.",
                                "bad_header_name"};
inline constexpr Fault kLongField{431, kFieldsTooLarge,
                                  "A header name is longer than 256 bytes or a value longer than "
                                  "8192.",
                                  "long_header"};
inline constexpr Fault kLongHead{431, kFieldsTooLarge,
                                 "The request line and headers are larger than this server "
                                 "accepts.",
                                 "long_head"};
inline constexpr Fault kManyFields{
    431, kFieldsTooLarge, "The request has more headers than this server accepts.", "many_headers"};

// What the fields say together.
inline constexpr Fault kNoHost{400, kMalformed, "An HTTP/1.1 request needs a Host header.",
                               "no_host"};
inline constexpr Fault kTwoHosts{400, kMalformed, "The request has more than one Host header.",
                                 "two_hosts"};
inline constexpr Fault kBadHost{400, kMalformed,
                                "The Host header is not a host with an optional port.", "bad_host"};
inline constexpr Fault kHostMismatch{
    400, kMalformed, "The Host header differs from the authority of the absolute request target.",
    "host_mismatch"};
inline constexpr Fault kTwoLengths{400, kMalformed, "The request has more than one Content-Length.",
                                   "two_lengths"};
inline constexpr Fault kBadLength{400, kMalformed, "The Content-Length is not a decimal number.",
                                  "bad_length"};
inline constexpr Fault kLengthOverflow{
    400, kMalformed, "The Content-Length is beyond any size there is.", "length_overflow"};
inline constexpr Fault kLengthAndChunked{
    400, kMalformed, "The request has both a Content-Length and a Transfer-Encoding.",
    "length_and_chunked"};
inline constexpr Fault kTwoCodings{400, kMalformed,
                                   "The request has more than one Transfer-Encoding header.",
                                   "two_transfer_encodings"};
inline constexpr Fault kChunkedIn10{400, kMalformed,
                                    "HTTP/1.0 has no Transfer-Encoding; send a Content-Length.",
                                    "chunked_in_http10"};
inline constexpr Fault kOtherCoding{501, "transfer_encoding_not_supported",
                                    "The only Transfer-Encoding this server accepts is: chunked.",
                                    "transfer_encoding"};
inline constexpr Fault kOtherExpectation{417, "expectation_failed",
                                         "The only expectation this server meets is: 100-continue.",
                                         "expectation"};

// Chunked bodies.
inline constexpr Fault kBadChunkSize{400, kMalformed, "A chunk size is not a hexadecimal number.",
                                     "bad_chunk_size"};
inline constexpr Fault kChunkOverflow{400, kMalformed, "A chunk size is beyond any size there is.",
                                      "chunk_size_overflow"};
inline constexpr Fault kBadExtension{
    400, kMalformed, "A chunk size is followed by something that is not a chunk extension.",
    "bad_chunk_extension"};
inline constexpr Fault kLongExtensions{
    400, kMalformed, "The chunk extensions of the body are larger than 4096 bytes together.",
    "long_chunk_extensions"};
inline constexpr Fault kBadChunkEnd{
    400, kMalformed, "The data of a chunk is not followed by CRLF where its size says it ends.",
    "bad_chunk_end"};
inline constexpr Fault kLongTrailers{
    431, kFieldsTooLarge, "The trailers of the body are larger than 8192 bytes.", "long_trailers"};

}  // namespace plexsphere::host::http::wire
