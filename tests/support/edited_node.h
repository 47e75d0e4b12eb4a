// A way to a node whose answers a test changes, as nodes behave that lack something.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/evm/rpc_client.h"

namespace tally::test {

class EditedNode final : public chain::HttpPoster {
 public:
  /// Gets the node's answer, with its result or error.
  using Edit =
      std::function<void(std::string_view method, const boost::json::array& parameters, boost::json::object& answer)>;

  EditedNode(const std::string& url, Edit edit) : x_inner(*chain::parse_endpoint(url)), x_edit(std::move(edit)) {}

  chain::HttpResponse post(const std::string& body) override {
    chain::HttpResponse response = x_inner.post(body);
    const boost::json::value request = boost::json::parse(body);
    boost::json::value answer = boost::json::parse(response.body);
    x_edit(request.at("method").as_string(), request.at("params").as_array(), answer.as_object());
    response.body = boost::json::serialize(answer);
    return response;
  }
  [[nodiscard]] std::string name() const override { return x_inner.name(); }

 private:
  chain::HttpClient x_inner;
  Edit x_edit;
};

[[nodiscard]] inline chain::RpcClient edited(const std::string& url, EditedNode::Edit edit) {
  std::vector<std::unique_ptr<chain::HttpPoster>> way;
  way.push_back(std::make_unique<EditedNode>(url, std::move(edit)));
  return {std::move(way), {}, [](std::chrono::milliseconds) {}};
}

}  // namespace tally::test
