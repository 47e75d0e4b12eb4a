#include "tests/support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>

namespace tally::test {

namespace {

constexpr int kPollMilliseconds = 20;

/// Bytes from and to one peer, secured or not.
class Stream {
 public:
  Stream(int socket, SSL_CTX* tls) : x_socket(socket), x_tls(nullptr, &SSL_free) {
    if (tls == nullptr) return;
    x_tls.reset(SSL_new(tls));
    SSL_set_fd(x_tls.get(), socket);
  }

  [[nodiscard]] bool accept() { return !x_tls || SSL_accept(x_tls.get()) == 1; }
  [[nodiscard]] long read(std::span<char> into) {
    if (x_tls) return SSL_read(x_tls.get(), into.data(), static_cast<int>(into.size()));
    return ::recv(x_socket, into.data(), into.size(), 0);
  }
  void write(std::string_view bytes) {
    if (x_tls) {
      static_cast<void>(SSL_write(x_tls.get(), bytes.data(), static_cast<int>(bytes.size())));
    } else {
      static_cast<void>(::send(x_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }
  }

 private:
  int x_socket;
  std::unique_ptr<SSL, decltype(&SSL_free)> x_tls;
};

/// The body of the first request of `bytes`, if all of it is there; it is taken out.
std::optional<std::string> take_request(std::string& bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t head = bytes.find(kEnd);
  if (head == std::string::npos) return std::nullopt;
  const std::size_t length = bytes.find(kLength);
  const std::size_t size = length < head ? std::stoul(bytes.substr(length + kLength.size())) : 0;
  if (bytes.size() < head + kEnd.size() + size) return std::nullopt;
  std::string body = bytes.substr(head + kEnd.size(), size);
  bytes.erase(0, head + kEnd.size() + size);
  return body;
}

}  // namespace

Certificate::Certificate(const std::string& name)
    : x_key(EVP_EC_gen("P-256"), &EVP_PKEY_free), x_certificate(X509_new(), &X509_free) {
  X509* const made = x_certificate.get();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -60);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, x_key.get());
  X509_NAME* const subject = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(made, subject);
  const std::string alternative = "DNS:" + name;
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative.c_str());
  X509_add_ext(made, names, -1);
  X509_EXTENSION_free(names);
  if (X509_sign(made, x_key.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign a certificate");
}

void Certificate::write_pem(const std::filesystem::path& file) const {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file.c_str(), "wb"), &std::fclose);
  if (!out || PEM_write_X509(out.get(), x_certificate.get()) != 1)
    throw std::runtime_error("cannot write " + file.string());
}

std::string http_answer(unsigned status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Told\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

HttpServer::HttpServer(Respond respond, const Certificate* certificate)
    : x_respond(std::move(respond)), x_tls(nullptr, &SSL_CTX_free) {
  if (certificate != nullptr) {
    x_tls.reset(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate(x_tls.get(), certificate->certificate()) != 1 ||
        SSL_CTX_use_PrivateKey(x_tls.get(), certificate->key()) != 1)
      throw std::runtime_error("cannot use the certificate");
  }
  x_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof(place);
  auto* const address = reinterpret_cast<::sockaddr*>(&place);
  if (x_listener < 0 || ::bind(x_listener, address, size) != 0 || ::listen(x_listener, 8) != 0 ||
      ::getsockname(x_listener, address, &size) != 0)
    throw std::runtime_error("cannot listen");
  x_port = ::ntohs(place.sin_port);
  x_thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

HttpServer::~HttpServer() {
  x_thread.request_stop();
  x_thread.join();
  ::close(x_listener);
}

void HttpServer::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ::pollfd waiting{.fd = x_listener, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPollMilliseconds) != 1) continue;
    const int connection = ::accept4(x_listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    ++x_connections;
    serve(connection, stop);
    ::close(connection);
  }
}

void HttpServer::serve(int connection, const std::stop_token& stop) {
  Stream stream(connection, x_tls.get());
  if (!stream.accept()) return;
  std::string bytes;
  std::array<char, 4096> piece{};
  while (!stop.stop_requested()) {
    if (const auto body = take_request(bytes)) {
      const Answer answer = x_respond(*body);
      stream.write(answer.bytes);
      if (answer.closes) return;
    }
    ::pollfd waiting{.fd = connection, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPollMilliseconds) != 1) continue;
    const long count = stream.read(piece);
    if (count <= 0) return;
    bytes.append(piece.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace tally::test
